import type { Job } from "../job.ts";
import type { ItemLink, StoredJob } from "../store/store.ts";

/** A job that shall not depend on any socket. */
export type DurableSubmission = {
  readonly job: Job;
  readonly body: Buffer;
  /** Unique for the client; a repeated one joins the job that has it. */
  readonly idempotencyKey: string | null;
  /** Where each of its states is to be told; null: nowhere. */
  readonly webhookUrl: string | null;
  /** Whether a client means to wait for the answer, and so counts as one. */
  readonly hasClient: boolean;
  /** For an item of a batch; absent: for nobody but itself. */
  readonly forItem?: ItemLink;
};

export type Submitted =
  | { readonly kind: "queued" }
  /** The key was used for `job`, which may have another body. */
  | { readonly kind: "known"; readonly job: StoredJob }
  /** The item that it was for has ended, or another job stands for it: nothing was queued. */
  | { readonly kind: "unwanted" };
