import { goJson } from "./reply.ts";
import type { Call } from "./sim-core.ts";

type Line = { readonly status: string } & Readonly<Record<string, unknown>>;

/** The answer of pull, push and create: a line a step, or only the last one. */
export class ProgressStream {
  readonly #call: Call;
  readonly #isStreaming: boolean;
  #latest: Line = { status: "" };

  constructor(call: Call, isStreaming: boolean) {
    this.#call = call;
    this.#isStreaming = isStreaming;
  }

  /** A promise comes back while the client reads too slowly. */
  say(line: Line): Promise<void> | null {
    this.#latest = line;
    return this.#isStreaming ? this.#write(line) : null;
  }

  /** The status counts only while nothing has been sent. */
  fail(message: string, status = 500): void {
    const { reply } = this.#call.exchange;
    reply.isFlushing = this.#isStreaming;
    if (reply.statusCode === 0) reply.json(status, { error: message }, "application/json");
    else {
      void this.#write({ error: message });
      reply.end();
    }
  }

  end(): void {
    const { reply } = this.#call.exchange;
    if (this.#isStreaming) reply.end();
    else reply.json(200, this.#latest, "application/json");
  }

  #write(line: Readonly<Record<string, unknown>>): Promise<void> | null {
    const { reply } = this.#call.exchange;
    if (reply.statusCode === 0) reply.stream(200, [["Content-Type", "application/x-ndjson"]]);
    return reply.write(`${goJson(line)}\n`);
  }
}
