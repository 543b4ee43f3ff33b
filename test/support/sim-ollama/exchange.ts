import type { IncomingMessage, ServerResponse } from "node:http";
import type { Strike } from "./fault-rules.ts";
import { Reply } from "./reply.ts";

/** One request and its answer, from the head's arrival until the connection lets go of it. */
export class Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly reply: Reply;
  /** As in the route table; the path itself where no route matches. */
  readonly route: string;
  /** The path's parameter, decoded: a model's name or a digest. */
  readonly parameter: string;
  readonly #whenGone = new Set<() => void>();
  readonly #whenClosed: (() => void)[] = [];
  #isGone = false;
  #isClosed = false;
  /** As the client spelled it, once the body was read. */
  model: string | null = null;
  strike: Strike | null = null;

  constructor(
    id: string,
    request: IncomingMessage,
    response: ServerResponse,
    route: string,
    parameter: string,
  ) {
    this.id = id;
    this.request = request;
    this.reply = new Reply(response);
    this.route = route;
    this.parameter = parameter;
  }

  /** The client closed its side, or the connection broke, before the answer was whole. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Calls once the client is gone (at once if it is); the answer takes the call back. */
  whenGone(call: () => void): () => void {
    if (this.#isGone) call();
    else this.#whenGone.add(call);
    return () => this.#whenGone.delete(call);
  }

  /** Calls at the end of the exchange, however it ends: Go's end of the request context. */
  whenClosed(call: () => void): void {
    if (this.#isClosed) call();
    else this.#whenClosed.push(call);
  }

  /** Resolves with the client's leaving; for races against something slower. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      this.whenGone(resolve);
    });
  }

  leave(): void {
    if (this.#isGone || this.#isClosed || this.reply.isEnded) return;
    this.#isGone = true;
    for (const call of this.#whenGone) call();
    this.#whenGone.clear();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of this.#whenClosed) call();
  }
}
