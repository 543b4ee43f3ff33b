import { ForemanError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import { answer, type Call } from "../call.ts";
import { stuckMsMax } from "../relay.ts";
import { findJob } from "./find-job.ts";

/** Bytes that a client chose, from foreman's own origin: no browser shall take them for a page. */
const headers = ["Content-Type", "application/json", "X-Content-Type-Options", "nosniff"];

/**
 * `GET /jobs/{id}/request`: the body of a durable job, which is always plain JSON, byte for byte as
 * it came; the store has it until the job ends. Until its reader has it, it takes of the memory
 * that bodies share.
 *
 * @throws ForemanError `not_found`: no such job of the caller's, or one that waits on its client's
 *   socket, whose body nobody keeps; `gone`: the job has ended; `queue_full`: see `BodyBudget`
 */
export async function showRequest(call: Call, id: string, { store }: { readonly store: Store }) {
  const job = await findJob(call, id, store);
  if (!job.isDurable) {
    const message = `job ${job.id} waits on its client's socket: its request is not stored`;
    throw new ForemanError("not_found", message);
  }
  if (job.ending === null) call.hold(job.bodyBytes);
  const body = await store.body(job.id);
  if (body === null) {
    const what = `its request (${job.bodyBytes} bytes, sha256 ${job.bodyHash})`;
    throw new ForemanError("gone", `job ${job.id} has ended, and ${what} is kept no longer`);
  }
  call.outgoing.setTimeout(stuckMsMax);
  answer(call, 200, headers, Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}
