import { Worker } from "node:worker_threads";
import { ForemanError } from "../../errors.ts";
import { answerOf } from "./rows.ts";
import { thrown } from "./sqlite-failure.ts";
import type { FromThread, GroupOutcome, Opening, ThreadStart, ToThread } from "./thread-message.ts";
import type { Verb, VerbAnswers } from "./verb.ts";

type Deps = {
  readonly script: URL;
  readonly workerData: ThreadStart;
  /** Called at most once, after every waiting call was rejected; not for a failed opening. */
  readonly onFatal: (failure: ForemanError) => void;
};

type Waiting = { resolve(answer: unknown): void; reject(cause: Error): void };

/**
 * The main thread's end of one thread of the store's, which starts when it is first needed. Verbs
 * called in one turn of the event loop travel in one message. Answers come in the order of the
 * verbs, so a queue pairs them.
 */
export class ThreadClient<Asked extends Verb> {
  /** Called when a group of verbs has come back, with the ms that the thread worked on it. */
  onGroup: (tookMs: number) => void = () => {};
  readonly #deps: Deps;
  readonly #closing = Promise.withResolvers<void>();
  readonly #waiting: Waiting[] = [];
  #worker: Worker | null = null;
  /** Held while somebody waits for the opening, who is then the one to hear of its failure. */
  #opening: PromiseWithResolvers<Opening | null> | null = null;
  #outbox: Asked[] = [];
  #transfers: ArrayBuffer[] = [];
  #isClosing = false;
  #isOver = false;
  /** Why nothing more is accepted; null while something is. */
  #end: ForemanError | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Resolves when the thread has opened its database, rejects with the reason why it cannot. */
  opened(): Promise<Opening | null> {
    this.#opening ??= Promise.withResolvers();
    const { promise } = this.#opening;
    this.#thread();
    return promise;
  }

  /** Asks for a verb. `transfer`: memory of the verb's that the caller gives away. */
  ask<Kind extends Asked["kind"]>(
    verb: Asked & { readonly kind: Kind },
    transfer?: ArrayBuffer,
  ): Promise<VerbAnswers[Kind]> {
    if (this.#end !== null) return Promise.reject(this.#end);
    // Not a microtask: one turn of the loop brings the callbacks of many sockets.
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    this.#outbox.push(verb);
    if (transfer !== undefined) this.#transfers.push(transfer);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: (answer) => resolve(answerOf<Kind>(answer)), reject });
    });
  }

  /** Lets the thread finish what was asked and leave; after a fatal failure, ends it. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#flush();
      this.#end ??= new ForemanError("storage_failed", "the store is closed");
      if (this.#worker === null) this.#closing.resolve();
      else this.#post({ kind: "close" });
    }
    await this.#closing.promise;
    await this.#worker?.terminate();
  }

  /** Rejects what waits and whatever is asked from now on. Idempotent. */
  fail(failure: ForemanError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end = failure;
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
    this.#closing.resolve();
    if (this.#opening === null) this.#deps.onFatal(failure);
    else this.#opening.reject(failure);
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    const { script, workerData } = this.#deps;
    const { file } = workerData;
    const worker = new Worker(script, { workerData });
    worker.on("message", (message: FromThread) => this.#receive(message));
    worker.on("error", (cause) => this.fail(crash(file, cause)));
    worker.on("exit", () => this.fail(crash(file, null)));
    this.#worker = worker;
    return worker;
  }

  #flush(): void {
    if (this.#outbox.length === 0 || this.#isOver) return;
    const verbs = this.#outbox;
    const transfers = this.#transfers;
    this.#outbox = [];
    this.#transfers = [];
    this.#post({ kind: "verbs", verbs }, transfers);
  }

  #post(message: ToThread<Asked>, transfers: readonly ArrayBuffer[] = []): void {
    this.#thread().postMessage(message, transfers);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case "opened":
        this.#opening?.resolve(message.opening);
        this.#opening = null;
        break;
      case "refused":
        this.fail(thrown(message.failure));
        break;
      case "group":
        this.onGroup(message.tookMs);
        this.#settle(message);
        break;
      case "closed":
        this.#isOver = true;
        this.#closing.resolve();
        break;
      default:
        message satisfies never;
    }
  }

  #settle(group: GroupOutcome): void {
    const answered = this.#waiting.splice(0, group.outcomes.length);
    for (const [index, outcome] of group.outcomes.entries()) {
      if (outcome.kind === "answered") answered[index]?.resolve(outcome.answer);
      else answered[index]?.reject(thrown(outcome.failure));
    }
    if (group.fatal !== null) this.fail(thrown(group.fatal));
  }
}

function crash(file: string, cause: unknown): ForemanError {
  return new ForemanError(
    "storage_failed",
    `the thread that keeps ${file} has ended: foreman must stop and recover at its next start`,
    { cause },
  );
}
