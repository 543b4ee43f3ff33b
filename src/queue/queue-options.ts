import type { Clock } from "../clock.ts";
import type { Ending, Job, JobClass } from "../job.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { WriteBehind } from "../store/write-behind.ts";

/** How a job ended that was not let through once more; one of `storage_failed` has no row. */
export type EndedWaiting = {
  readonly state: Ending["state"];
  readonly reason: Ending["reason"] | "storage_failed";
};

/** What the queue stands on, what bounds it, and who is told. */
export type QueueOptions = {
  readonly store: Store;
  readonly behind: WriteBehind;
  readonly clock: Clock;
  readonly log: Log;
  /** How many clients may wait. */
  readonly depthMax: number;
  /** Whether jobs of that model wait for it to be brought back. */
  readonly isModelMissing: (model: string) => boolean;
  /** The highest class that a client's jobs may have. */
  readonly topClassOf: (client: string) => JobClass;
  /** The longest wait of a client, in ms; 0 for none. */
  readonly waitMsMax: number;
  /** The largest answer of a durable job that is kept. */
  readonly answerBytesMax: number;
  /** Called for each job that enters memory to wait, and when it neither waits there nor runs. */
  readonly onJoined: (job: Job) => void;
  readonly onLeft: (job: Job) => void;
  /** Called for each job that ends without being let through once more. */
  readonly onEndedWaiting: (job: Pick<Job, "class">, why: EndedWaiting) => void;
  /** Called when what waits has changed: something may now be let through. */
  readonly onChange: () => void;
};
