import type { Ending, Job, JobId, JobState, Transition } from "../../job.ts";
import type { DueDeliveries, Outbox } from "../outbox.ts";
import type {
  Answer,
  Heartbeat,
  Insertion,
  ItemLink,
  Lane,
  Page,
  PutBack,
  Recovery,
  StoredJob,
} from "../store.ts";
import type { CancelledSlice, WaitingSlice } from "../waiting-slice.ts";
import type { BatchReadVerb, BatchVerbAnswers, BatchWriteVerb } from "./batch-verb.ts";

/** What the writing thread is asked for; plain values that can be copied between threads. */
export type WriteVerb = JobWriteVerb | BatchWriteVerb;

export type JobWriteVerb =
  | {
      readonly kind: "insertJob";
      readonly job: Job;
      readonly body: Uint8Array | null;
      readonly idempotencyKey: string | null;
      readonly webhookUrl: string | null;
      readonly forItem: ItemLink | null;
    }
  | {
      readonly kind: "claim";
      readonly id: JobId;
      readonly attempt: number;
      readonly atMs: number;
    }
  | {
      readonly kind: "markWorking";
      readonly id: JobId;
      readonly attempt: number;
      readonly atMs: number;
    }
  | {
      readonly kind: "settle";
      readonly id: JobId;
      readonly attempt: number;
      readonly ending: Ending;
      readonly atMs: number;
      readonly answer: Answer | null;
    }
  | {
      readonly kind: "putBack";
      readonly id: JobId;
      readonly attempt: number;
      readonly putBack: PutBack;
      readonly atMs: number;
      readonly notBeforeMs: number | null;
    }
  | {
      readonly kind: "endWaiting";
      readonly id: JobId;
      readonly ending: Ending;
      readonly atMs: number;
    }
  | {
      readonly kind: "cancelWaiting";
      readonly slice: WaitingSlice;
      readonly ending: Ending;
      readonly atMs: number;
    }
  | { readonly kind: "recoverInterrupted"; readonly atMs: number }
  | { readonly kind: "job"; readonly id: JobId }
  | { readonly kind: "body"; readonly id: JobId }
  | {
      readonly kind: "waitingIn";
      readonly lane: Lane;
      readonly afterArrival: number;
      readonly limit: number;
    }
  | { readonly kind: "newestArrival" }
  | { readonly kind: "lanes" }
  | { readonly kind: "prune"; readonly endedBeforeMs: number; readonly limit: number }
  | { readonly kind: "shrink" }
  | { readonly kind: "emptyLog" }
  | { readonly kind: "noteSound" }
  | { readonly kind: "remember"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: "recall"; readonly name: string }
  | { readonly kind: "heartbeat" }
  | OutboxVerb;

/** What changes the outbox. */
export type OutboxVerb =
  | { readonly kind: "noteDelivered"; readonly seq: number }
  | { readonly kind: "noteFailed"; readonly seq: number; readonly nextAtMs: number }
  | { readonly kind: "giveUp"; readonly seq: number }
  | { readonly kind: "endWebhook"; readonly seq: number };

/** What the reading thread is asked for: whatever may take long, so that no commit waits for it. */
export type ReadVerb = JobReadVerb | BatchReadVerb;

type JobReadVerb =
  | { readonly kind: "answer"; readonly id: JobId }
  | { readonly kind: "transitions"; readonly id: JobId; readonly after: number }
  | { readonly kind: "position"; readonly lane: Lane; readonly arrival: number }
  | { readonly kind: "page"; readonly page: Page }
  | { readonly kind: "dueDeliveries"; readonly nowMs: number; readonly perOrigin: number }
  | { readonly kind: "outboxDepth" }
  | { readonly kind: "countByState" };

export type Verb = WriteVerb | ReadVerb;

/** What each verb answers. */
export type VerbAnswers = BatchVerbAnswers & {
  readonly insertJob: Insertion;
  readonly claim: "claimed" | "lost";
  readonly markWorking: "marked" | "stale";
  readonly settle: "settled" | "stale";
  readonly putBack: "queued" | "stale";
  readonly endWaiting: "ended" | "lost";
  readonly cancelWaiting: CancelledSlice;
  readonly recoverInterrupted: Recovery;
  readonly job: StoredJob | null;
  readonly body: Uint8Array | null;
  readonly waitingIn: readonly StoredJob[];
  readonly newestArrival: number;
  readonly prune: number;
  readonly shrink: boolean;
  readonly emptyLog: undefined;
  readonly noteSound: undefined;
  readonly remember: undefined;
  readonly recall: Uint8Array | null;
  readonly heartbeat: Omit<Heartbeat, "commitMs">;
  readonly noteDelivered: undefined;
  readonly noteFailed: undefined;
  readonly giveUp: undefined;
  readonly endWebhook: undefined;
  readonly dueDeliveries: DueDeliveries;
  readonly outboxDepth: Awaited<ReturnType<Outbox["depth"]>>;
  readonly answer: Answer | null;
  readonly transitions: readonly Transition[];
  readonly position: number;
  readonly page: readonly StoredJob[];
  readonly lanes: readonly (Lane & { readonly depth: number })[];
  readonly countByState: Readonly<Record<JobState, number>>;
};

export type VerbAnswer = VerbAnswers[Verb["kind"]];
