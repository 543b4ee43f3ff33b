import { ForemanError } from "../errors.ts";
import type { TargetFailure, TargetHead } from "../target/target.ts";
import type { Waiter, WaitNotes } from "./waiters.ts";

/** What the target sent, so far. */
export type Recording = { readonly head: TargetHead; readonly body: Buffer };

type Begun = { readonly head: TargetHead; readonly notes: WaitNotes; readonly pieces: Buffer[] };

/**
 * The waiter of a durable job: keeps the answer, and passes it on to whoever listens, from its
 * beginning, whenever they came. Nobody needs to listen.
 */
export class Recorder implements Waiter {
  readonly #bytesMax: number;
  readonly #listeners = new Set<Waiter>();
  #begun: Begun | null = null;
  #bytes = 0;
  /** Those of the listeners who heard a part of this attempt. */
  readonly #heard = new Set<Waiter>();
  /** How the answer ended, for those who come when it has but is not on the disk yet. */
  #tellEnd: ((listener: Waiter) => void) | null = null;

  /** @param bytesMax an answer that grows past this is kept no further; see `isTooLarge` */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether somebody is there who heard a part of this attempt: they would see another one. */
  get hasAnswer(): boolean {
    return this.#heard.size > 0;
  }

  /** Whether the answer grew past the bound and was not kept whole. */
  get isTooLarge(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  get answer(): Recording | null {
    if (this.#begun === null || this.isTooLarge) return null;
    return { head: this.#begun.head, body: Buffer.concat(this.#begun.pieces) };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Tells `listener` what there is, and from now on what comes. */
  listen(listener: Waiter): void {
    this.#listeners.add(listener);
    if (this.#begun === null) {
      this.#tellEnd?.(listener);
      return;
    }
    if (this.isTooLarge) {
      const message = "the answer is too large to be told from its beginning; use a new key";
      listener.refuse(new ForemanError("internal", message));
      return;
    }
    this.#heard.add(listener);
    listener.head(this.#begun.head, this.#begun.notes);
    for (const piece of this.#begun.pieces) listener.chunk(piece);
    this.#tellEnd?.(listener);
  }

  leave(listener: Waiter): void {
    this.#listeners.delete(listener);
    this.#heard.delete(listener);
  }

  /**
   * Forgets an attempt that came to nothing: whoever listens hears the next one. Only those who
   * came and heard a part while it was put back are told, since they cannot hear two.
   */
  forget(): void {
    const message = "the job begins anew; ask again";
    for (const listener of this.#heard) {
      this.#listeners.delete(listener);
      listener.failed({ kind: "lost", message, afterHead: true, cause: null });
    }
    this.#begun = null;
    this.#bytes = 0;
    this.#tellEnd = null;
    this.#heard.clear();
  }

  head(head: TargetHead, notes: WaitNotes): void {
    this.#begun = { head, notes, pieces: [] };
    this.#tell((listener) => listener.head(head, notes));
  }

  chunk(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.isTooLarge) this.#begun?.pieces.splice(0);
    else this.#begun?.pieces.push(bytes);
    this.#tell((listener) => listener.chunk(bytes));
  }

  end(): void {
    this.#over((listener) => listener.end());
  }

  failed(failure: TargetFailure, isComplete = false): void {
    this.#over((listener) => listener.failed(failure, isComplete));
  }

  /** To whoever hears a part of the answer, also of one that comes later, it breaks off. */
  refuse(error: ForemanError): void {
    const { message } = error;
    this.#over((listener) => {
      if (!this.#heard.has(listener)) listener.refuse(error);
      else listener.failed({ kind: "aborted", message, afterHead: true, cause: error });
    });
  }

  #over(tellEnd: (listener: Waiter) => void): void {
    this.#tellEnd = tellEnd;
    for (const listener of this.#listeners) tellEnd(listener);
    this.#listeners.clear();
    this.#heard.clear();
  }

  #tell(say: (listener: Waiter) => void): void {
    for (const listener of this.#listeners) {
      this.#heard.add(listener);
      say(listener);
    }
  }
}
