import type { ForemanError } from "../../src/errors.ts";
import type { Waiter, WaitNotes } from "../../src/queue/waiters.ts";
import type { TargetFailure, TargetHead } from "../../src/target/target.ts";

/** A client's connection that keeps what it was told. */
export class RecordingWaiter implements Waiter {
  statusCode: number | null = null;
  notes: WaitNotes | null = null;
  text = "";
  isEnded = false;
  failure: TargetFailure | null = null;
  refusal: ForemanError | null = null;

  get hasAnswer(): boolean {
    return this.statusCode !== null;
  }

  /** Whether the client heard of an end, good or bad: it would wait for ever otherwise. */
  get isOver(): boolean {
    return this.isEnded || this.failure !== null || this.refusal !== null;
  }

  head(head: TargetHead, notes: WaitNotes): void {
    this.statusCode = head.statusCode;
    this.notes = notes;
  }

  chunk(bytes: Buffer): void {
    this.text += bytes.toString();
  }

  end(): void {
    this.isEnded = true;
  }

  failed(failure: TargetFailure): void {
    this.failure = failure;
  }

  refuse(error: ForemanError): void {
    this.refusal = error;
  }
}
