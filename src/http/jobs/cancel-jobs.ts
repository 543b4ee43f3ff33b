import { ForemanError } from "../../errors.ts";
import { readCancelWishes } from "../../wire/cancel-wishes.ts";
import { type Call, tell } from "../call.ts";
import { gather } from "../gather.ts";
import type { JobsDeps } from "./jobs.ts";

/** A filter is short; names of models are at most some hundred letters. */
const bodyBytesMax = 16 * 2 ** 10;

/** `POST /jobs/cancel`: cancels the durable jobs that fit; answered when that is on the disk. */
export async function cancelJobs(call: Call, { queue }: JobsDeps): Promise<void> {
  const body = await gather(call, { bytesMax: bodyBytesMax, limit: "a filter may be" });
  const wishes = readCancelWishes(body);
  if (typeof wishes === "string") throw new ForemanError("bad_request", wishes);
  const cancelled = await queue.cancels.many(wishes.filter, wishes.isRunningToo);
  tell(call, 200, { cancelled });
}
