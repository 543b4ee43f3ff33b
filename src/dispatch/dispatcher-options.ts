import type { Clock } from "../clock.ts";
import type { Ending, Job, JobId } from "../job.ts";
import type { Log } from "../log.ts";
import type { Lane } from "../queue/lanes.ts";
import type { Queue } from "../queue/queue.ts";
import type { LanePause, ScheduleLimits } from "../scheduler/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { WriteBehind } from "../store/write-behind.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Runners } from "../target/runners.ts";
import type { Target } from "../target/target.ts";
import type { Accounts } from "./accounts.ts";
import type { LoadCause } from "./load-log.ts";
import type { RunLimits } from "./run-job.ts";
import type { Times } from "./times-of.ts";

/** A run that ended its job, and whether the model was loaded for it. */
type EndedRun = Times & {
  readonly job: Job;
  readonly ending: Ending;
  readonly hasLoaded: boolean;
};

/** What the dispatcher joins, and the settings that bound it. */
export type DispatcherOptions = {
  readonly queue: Queue;
  readonly store: Store;
  readonly behind: WriteBehind;
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly runners: Runners;
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly scheduleLimits: ScheduleLimits;
  readonly runLimits: RunLimits;
  /** A batch item that has run less makes way for a person, in ms; 0 for never. */
  readonly preemptWithinMs: number;
  /** Whether an operator paused such jobs; null if nobody did. */
  readonly pauseOf: (lane: Lane) => LanePause | null;
  /** How many of a client's jobs may run at once; null: as many as there are slots. */
  readonly slotsOf: (client: string) => number | null;
  /** What is done about a model that is required and that the target lacks; null if nothing. */
  readonly describeMissing: (model: string) => string | null;
  /** A model was loaded for that job, whatever became of the run. */
  readonly onLoaded: (id: JobId, cause: LoadCause) => void;
  /** A run came to the end of its job. */
  readonly onEnded: (ended: EndedRun) => void;
};
