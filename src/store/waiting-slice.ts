import type { JobClass, JobId } from "../job.ts";

/** Of the waiting durable jobs: those that fit every filter given. */
export type WaitingFilter = {
  /** As the client spelled it. */
  readonly model?: string | undefined;
  readonly client?: string | undefined;
};

/** A bounded part of the waiting durable jobs, in order of arrival. */
export type WaitingSlice = WaitingFilter & {
  /** Only what arrived after this. */
  readonly after: number;
  /** The last arrival that is meant: who comes later is left alone. */
  readonly upTo: number;
  /** How many waiting jobs are looked at, whether they fit or not. */
  readonly limit: number;
};

/** A job with the lane that it waited in. */
export type CancelledJob = {
  readonly id: JobId;
  readonly class: JobClass;
  readonly loadKey: string;
  readonly client: string;
};

/** What became of a slice. */
export type CancelledSlice = {
  readonly jobs: readonly CancelledJob[];
  /** The `after` of the next slice; null: there is none. */
  readonly next: number | null;
};
