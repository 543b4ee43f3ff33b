import { isoTime } from "../clock.ts";
import type { JobState } from "../job.ts";
import { artifactsOf } from "../result/artifacts.ts";
import { outcomeView } from "../result/outcome-view.ts";
import type { Delivery } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";

/** One webhook as it goes out, the same at each try. */
export type Message = {
  /** Unique for the state that it tells. */
  readonly id: string;
  readonly url: string;
  readonly body: Buffer;
};

const endStates: readonly JobState[] = ["done", "failed", "cancelled"];

/**
 * What a delivery says. It is made of rows that change no more, so that each try sends the same
 * bytes. Null: the job was forgotten meanwhile.
 */
export async function messageOf(
  { jobId, transition, url }: Delivery,
  store: Pick<Store, "job" | "answer">,
): Promise<Message | null> {
  const job = await store.job(jobId);
  if (job === null) return null;
  // A job that has ended by now had not when it came to its earlier states.
  const ending = endStates.includes(transition.state) ? job.ending : null;
  const kept = ending?.state === "done" ? await store.answer(jobId) : null;
  const outcome = outcomeView(jobId, ending, kept && (await artifactsOf(kept)));
  const document = {
    job_id: jobId,
    state: transition.state,
    previous_state: transition.previousState,
    timestamp: isoTime(transition.atMs),
    model: job.model,
    attempt: transition.attempt,
    error: outcome.error,
    result: outcome.result,
    artifacts: outcome.artifacts,
  };
  const id = `msg_${jobId}_${transition.n}`;
  return { id, url, body: Buffer.from(JSON.stringify(document)) };
}
