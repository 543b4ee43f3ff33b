import { ForemanError } from "../../errors.ts";
import { jobIdOf } from "../../job.ts";
import type { Store, StoredJob } from "../../store/store.ts";
import { type Call, isOwn } from "../call.ts";

/**
 * The job of that id, as a client spelled it. Another client's is not found, unless an admin asks.
 *
 * @throws ForemanError `not_found`
 */
export async function findJob(call: Call, id: string, store: Store): Promise<StoredJob> {
  const jobId = jobIdOf(id);
  const job = jobId && (await store.job(jobId));
  if (job === null || !isOwn(call, job)) throw new ForemanError("not_found", `no job "${id}"`);
  return job;
}
