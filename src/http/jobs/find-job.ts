import { ForemanError } from "../../errors.ts";
import type { JobId } from "../../job.ts";
import type { Store, StoredJob } from "../../store/store.ts";

/** The job of that id, as a client spelled it. @throws ForemanError `not_found` */
export async function findJob(id: string, store: Store): Promise<StoredJob> {
  const isUlid = /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id);
  const job = isUlid ? await store.job(id as JobId) : null;
  if (job === null) throw new ForemanError("not_found", `no job "${id}"`);
  return job;
}
