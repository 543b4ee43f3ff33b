import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { JsonBounds } from "../../wire/json-bounds.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import type { ResponseFormat } from "../generation.ts";
import { readJsonAnswer } from "./read-json-answer.ts";
import type { FromSchemaThread, SchemaReply, ToSchemaThread } from "./schema-message.ts";

/**
 * A schema of the largest size compiles in half a second, and an answer is checked in a
 * millisecond. What takes ten times as long was made to take for ever.
 */
const checkMsMax = 5_000;

/** What a compiled schema and its complaints may take; a thread that takes more is ended. */
const threadHeapMb = 256;

/** Submissions repeat their schema; this many are remembered with what was found of them. */
const rememberedMax = 64;

/** What an answer is worth. */
export type Verdict =
  | { readonly kind: "valid"; readonly json: unknown }
  /** In the validator's words, path and complaint: what a model can mend. */
  | { readonly kind: "invalid"; readonly message: string }
  /** No answer will do: the schema asks for more than foreman can check. */
  | { readonly kind: "uncheckable"; readonly message: string };

/** The shapes that an answer is held to. */
export type CheckedFormat = Exclude<ResponseFormat, { readonly kind: "text" }>;

type Deps = { readonly clock: Clock; readonly log: Log };

type Task = {
  readonly message: ToSchemaThread;
  readonly outcome: PromiseWithResolvers<SchemaReply>;
};

/**
 * Checks answers, and the schemas that they are checked by, one after the other in a thread that
 * starts with the first schema. Schemas and patterns are the clients': a few hundred bytes of them
 * can keep a validator busy for hours, so a task has `checkMsMax`, after which its thread is ended
 * and the next task gets a new one. The event loop never waits.
 */
export class OutputCheck {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tasks: Task[] = [];
  readonly #refusals = new Map<string, string | null>();
  #running: Task | null = null;
  #deadline: Timer | null = null;
  #thread: Worker | null = null;
  #isReady = false;

  constructor({ clock, log }: Deps) {
    this.#clock = clock;
    this.#log = log.child({ component: "output check" });
  }

  /** Why answers cannot be checked by that schema, for its submitter; null when they can. */
  async refusalOf(schema: object): Promise<string | null> {
    const text = JSON.stringify(schema);
    const known = this.#refusals.get(text);
    if (known !== undefined) return known;
    const refusal = tooLarge(text) ?? (await this.#refusalByThread(text));
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size >= rememberedMax && oldest !== undefined) this.#refusals.delete(oldest);
    this.#refusals.set(text, refusal);
    return refusal;
  }

  /** Checks an answer that is to be JSON, by a schema of which `refusalOf` had nothing to say. */
  async check(content: string, format: CheckedFormat): Promise<Verdict> {
    const read = readJsonAnswer(content);
    if (read.kind === "invalid") return read;
    if (format.kind === "json") return { kind: "valid", json: read.json };
    const schema = JSON.stringify(format.schema);
    const reply = await this.#ask({ schema, answer: read.text });
    if (reply.kind === "uncheckable") {
      return { kind: "uncheckable", message: `the answer cannot be checked: ${reply.why}` };
    }
    const { complaint } = reply;
    if (complaint === null) return { kind: "valid", json: read.json };
    return { kind: "invalid", message: `the answer does not fit the schema: ${complaint}` };
  }

  /** Ends the thread; what waits for it is rejected with `draining`. Idempotent. */
  async stop(): Promise<void> {
    this.#deadline?.cancel();
    this.#rejectAll(new ForemanError("draining", "foreman stops; the answer was not checked"));
    const thread = this.#thread;
    this.#forgetThread();
    await thread?.terminate();
  }

  async #refusalByThread(schema: string): Promise<string | null> {
    const reply = await this.#ask({ schema, answer: null });
    return reply.kind === "checked" ? reply.complaint : reply.why;
  }

  #ask(message: ToSchemaThread): Promise<SchemaReply> {
    const outcome = Promise.withResolvers<SchemaReply>();
    this.#tasks.push({ message, outcome });
    this.#next();
    return outcome.promise;
  }

  #next(): void {
    if (this.#running !== null || this.#tasks.length === 0) return;
    this.#thread ??= this.#start();
    if (!this.#isReady) return;
    this.#running = this.#tasks.shift() ?? null;
    this.#thread.postMessage(this.#running?.message);
    const why = `it takes longer than ${checkMsMax / 1_000} s`;
    this.#deadline = this.#clock.after(checkMsMax, () => this.#cut(why));
  }

  #start(): Worker {
    const thread = new Worker(new URL("./schema-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: threadHeapMb },
    });
    thread.unref();
    thread.on("message", (message: FromSchemaThread) => {
      if (this.#thread !== thread) return;
      if (message.kind !== "ready") this.#settle(message);
      this.#isReady = true;
      this.#next();
    });
    thread.on("error", (cause) => {
      if (this.#thread === thread) this.#died(cause);
    });
    return thread;
  }

  #settle(reply: SchemaReply): void {
    this.#deadline?.cancel();
    this.#running?.outcome.resolve(reply);
    this.#running = null;
  }

  /** Ends the thread with what it is at, for which nothing better can be said. */
  #cut(why: string): void {
    this.#log.warn({ why }, "schema check cut");
    void this.#thread?.terminate();
    this.#forgetThread();
    this.#settle({ kind: "uncheckable", why });
    this.#next();
  }

  #died(cause: unknown): void {
    if (this.#running !== null) {
      this.#cut(`it takes more than ${threadHeapMb} MB (${String(cause)})`);
      return;
    }
    this.#forgetThread();
    const error = new ForemanError("internal", "the thread that checks answers does not start", {
      cause,
    });
    this.#rejectAll(error);
  }

  #rejectAll(error: ForemanError): void {
    this.#running?.outcome.reject(error);
    this.#running = null;
    for (const { outcome } of this.#tasks.splice(0)) outcome.reject(error);
  }

  #forgetThread(): void {
    this.#thread = null;
    this.#isReady = false;
  }
}

function tooLarge(schema: string): string | null {
  const { schemaBytes, schemaDepth } = runtimeLimits;
  const bytes = Buffer.from(schema);
  if (bytes.length > schemaBytes) {
    return `it has ${bytes.length} bytes, and at most ${schemaBytes} are taken`;
  }
  const bounds = new JsonBounds(schemaDepth);
  bounds.write(bytes);
  return bounds.problem;
}
