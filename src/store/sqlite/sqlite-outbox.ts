import type { DueDeliveries, Outbox } from "../outbox.ts";
import type { ThreadClient } from "./thread-client.ts";
import type { ReadVerb, WriteVerb } from "./verb.ts";

type Deps = {
  readonly writer: ThreadClient<WriteVerb>;
  readonly reader: ThreadClient<ReadVerb>;
};

/** The main thread's end of the outbox. */
export class SqliteOutbox implements Outbox {
  readonly #writer: Deps["writer"];
  readonly #reader: Deps["reader"];

  constructor(deps: Deps) {
    this.#writer = deps.writer;
    this.#reader = deps.reader;
  }

  due(nowMs: number, perOrigin: number): Promise<DueDeliveries> {
    return this.#reader.ask({ kind: "dueDeliveries", nowMs, perOrigin });
  }

  noteDelivered(seq: number): Promise<void> {
    return this.#writer.ask({ kind: "noteDelivered", seq });
  }

  noteFailed(seq: number, nextAtMs: number): Promise<void> {
    return this.#writer.ask({ kind: "noteFailed", seq, nextAtMs });
  }

  giveUp(seq: number): Promise<void> {
    return this.#writer.ask({ kind: "giveUp", seq });
  }

  endWebhook(seq: number): Promise<void> {
    return this.#writer.ask({ kind: "endWebhook", seq });
  }

  depth(): Promise<{ readonly left: number; readonly oldestAtMs: number | null }> {
    return this.#reader.ask({ kind: "outboxDepth" });
  }
}
