import type {
  Target,
  TargetExchange,
  TargetFailure,
  TargetHead,
  TargetRequest,
  TargetSink,
} from "../../src/target/target.ts";

type HeadFacts = Partial<TargetHead> & { readonly contentType?: string };

/** One request that came to the fake target; the test answers it, in as many steps as it likes. */
export class Asked implements TargetExchange {
  readonly request: TargetRequest;
  readonly #sink: TargetSink;
  #hasHead = false;
  #isOver = false;
  isAborted = false;

  constructor(request: TargetRequest, sink: TargetSink) {
    this.request = request;
    this.#sink = sink;
  }

  get path(): string {
    return this.request.path;
  }

  /** Whether the answer has come to its end, good or bad. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get bodyText(): string {
    return Buffer.isBuffer(this.request.body) ? this.request.body.toString() : "";
  }

  head({ contentType = "application/x-ndjson", ...facts }: HeadFacts = {}): this {
    if (this.#isOver) return this;
    this.#hasHead = true;
    this.#sink.head({
      statusCode: 200,
      statusText: "OK",
      rawHeaders: ["Content-Type", contentType],
      isDelimited: true,
      ...facts,
    });
    return this;
  }

  chunk(bytes: string | Buffer): this {
    if (!this.#isOver) this.#sink.chunk(Buffer.from(bytes));
    return this;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.end();
  }

  fail(kind: TargetFailure["kind"], message = `the target is ${kind}`): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.failed({ kind, afterHead: this.#hasHead, message, cause: null });
  }

  /** A whole JSON answer. */
  json(document: unknown, statusCode = 200): void {
    this.head({ statusCode, contentType: "application/json; charset=utf-8" });
    this.chunk(JSON.stringify(document)).end();
  }

  abort(): void {
    if (this.#isOver) return;
    this.isAborted = true;
    this.fail("aborted", "aborted by foreman");
  }

  pause(): void {}

  resume(): void {}
}

/** A target scripted by the test. */
export class FakeTarget implements Target {
  readonly origin = "http://target.test:11434";
  /** Everything that was asked, in order. */
  readonly asked: Asked[] = [];
  isClosed = false;
  /** Answers what comes, shortly after it came; leaves to the test what it does not answer. */
  script: (asked: Asked) => void;

  constructor(script: (asked: Asked) => void = () => {}) {
    this.script = script;
  }

  send(request: TargetRequest, sink: TargetSink): Asked {
    const asked = new Asked(request, sink);
    this.asked.push(asked);
    queueMicrotask(() => this.script(asked));
    return asked;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  /** What was asked of one path. */
  askedOf(path: string): Asked[] {
    return this.asked.filter((asked) => asked.path === path);
  }

  /** The latest request to that path. */
  latest(path: string): Asked {
    const asked = this.askedOf(path).at(-1);
    if (!asked) throw new Error(`nothing was asked of ${path}`);
    return asked;
  }
}
