import type { ForemanError } from "../errors.ts";
import type { TargetFailure, TargetHead } from "../target/target.ts";

/**
 * The open connection of a client that waits for its answer. It outlives attempts: a job that lost
 * its target before the head came runs again, and the client sees nothing of it.
 */
export interface Waiter {
  /** Whether an answer of the target began to go out: then a second attempt would be visible. */
  readonly hasAnswer: boolean;
  head(head: TargetHead, notes: WaitNotes): void;
  chunk(bytes: Buffer): void;
  end(): void;
  /**
   * The target failed and there will be no further attempt: the answer must end visibly broken.
   * `isComplete`: its end marker had come, and nothing must follow it.
   */
  failed(failure: TargetFailure, isComplete?: boolean): void;
  /** Foreman itself ends the wait: a full queue, a time limit, a shutdown. */
  refuse(error: ForemanError): void;
}

/** What foreman adds to an answer that waited. */
export type WaitNotes = {
  readonly jobId: string;
  readonly queuedMs: number;
};
