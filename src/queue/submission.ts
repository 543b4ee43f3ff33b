import type { WaitingJob } from "./lanes.ts";

/** A job whose client waits for it on an open socket. */
export type Submission = Pick<WaitingJob, "job" | "method" | "rawHeaders" | "waiter"> & {
  readonly body: Buffer;
};
