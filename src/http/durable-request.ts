import type { Clock } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { Job, JobId } from "../job.ts";
import { timeoutError } from "../queue/admit.ts";
import type { Queue } from "../queue/queue.ts";
import { answerBytes } from "../result/artifacts.ts";
import type { Store, StoredJob } from "../store/store.ts";
import { answer, type Call } from "./call.ts";
import { WaitingClient, type WaitingClientOptions } from "./waiting-client.ts";

/** A key is a handle, not a document. */
const keyLettersMax = 256;

/** The Idempotency-Key of a request; null if it has none. @throws ForemanError `bad_request` */
export function idempotencyKeyOf({ incoming }: Call): string | null {
  const key = incoming.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && key.length > 0 && key.length <= keyLettersMax) return key;
  throw new ForemanError("bad_request", `Idempotency-Key takes 1 to ${keyLettersMax} letters`);
}

type DurableRequest = {
  readonly job: Job;
  readonly body: Buffer;
  readonly idempotencyKey: string;
  readonly client: Omit<WaitingClientOptions, "jobId" | "onGone">;
};

/**
 * A client's request that bears a key: its job survives the client and the daemon, and whoever
 * repeats the request under that key gets the same job's answer, from its beginning, whether the
 * job waits, runs or has ended.
 *
 * @throws ForemanError `key_reused` if the key was used for another body; else as `submitDurable`
 */
export async function waitDurably(
  call: Call,
  { body, client, idempotencyKey, job }: DurableRequest,
  deps: { readonly queue: Queue; readonly store: Store; readonly waitMsMax: number },
): Promise<void> {
  const { queue, store } = deps;
  const submitted = await queue.submitDurable({
    ...{ job, body, idempotencyKey },
    webhookUrl: null,
    hasClient: true,
  });
  const known = submitted.kind === "known" ? submitted.job : null;
  const id = known?.id ?? job.id;
  if (known !== null) refuseOther(known, job);
  const waiter = new WaitingClient(call, {
    ...client,
    jobId: id,
    onGone: () => queue.listeners.stopListening(id, waiter),
  });
  queue.listeners.listen({ id, model: job.model }, waiter);
  limitWait(call, waiter, { id, clock: client.clock, ...deps });
  if (known === null) return;
  // It may have ended before, or while this was being arranged: then nobody will tell the waiter.
  const now = await store.job(id);
  if (now?.ending === null || waiter.hasAnswer) return;
  queue.listeners.stopListening(id, waiter);
  waiter.retire();
  await replay(call, now ?? known, store);
}

/** The longest wait holds for the client; its job waits on. */
function limitWait(
  call: Call,
  waiter: WaitingClient,
  { clock, id, queue, waitMsMax }: { clock: Clock; id: JobId; queue: Queue; waitMsMax: number },
): void {
  if (waitMsMax === 0) return;
  const timer = clock.after(waitMsMax, () => {
    if (waiter.hasAnswer) return;
    queue.listeners.stopListening(id, waiter);
    waiter.refuse(timeoutError(waitMsMax));
  });
  call.outgoing.once("close", () => timer.cancel());
}

function refuseOther(known: StoredJob, { bodyHash, route }: Job): void {
  if (known.bodyHash === bodyHash && known.route === route) return;
  const message = `the Idempotency-Key was used for another request, job ${known.id}`;
  throw new ForemanError("key_reused", message);
}

/** Answers from the store, as the first client was answered. */
async function replay(call: Call, { ending, id }: StoredJob, store: Store): Promise<void> {
  const kept = await store.answer(id);
  if (kept === null) {
    const message = ending?.message ?? "it waits in the store; ask again in a moment";
    const code = ending?.state === "cancelled" ? "cancelled" : "target_broke_off";
    throw new ForemanError(code, `job ${id}: ${message}`);
  }
  const head = ["Content-Type", kept.contentType, "X-Foreman-Job", id, "X-Foreman-Queued-Ms", "0"];
  answer(call, kept.statusCode, head, await answerBytes(kept));
}
