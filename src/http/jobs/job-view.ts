import { isoTime } from "../../clock.ts";
import type { Ending } from "../../job.ts";
import type { Artifacts } from "../../result/artifacts.ts";
import { errorView, outcomeView } from "../../result/outcome-view.ts";
import type { StoredJob } from "../../store/store.ts";
import type { JobDocument } from "../../wire/jobs.ts";

/** Where a waiting job stands, why it is not let through, and in how many ms it should start. */
export type Wait = {
  readonly position: number | null;
  readonly reason: string | null;
  readonly etaMs: number | null;
};

/** A job as `/jobs` shows it; `wait` for one that waits, `artifacts` for one that is done. */
export function jobView(
  job: StoredJob,
  wait: Wait | null,
  artifacts: Artifacts | null,
): JobDocument {
  const { ending } = job;
  const outcome = outcomeView(job.id, ending, artifacts);
  return {
    job_id: job.id,
    state: job.state,
    model: job.model,
    route: job.route,
    priority: job.class,
    client: job.client,
    position: wait?.position ?? null,
    reason: wait?.reason ?? null,
    eta_ms: wait?.etaMs == null ? null : Math.round(wait.etaMs),
    attempts: job.attempts,
    created_at: isoTime(job.enqueuedAtMs),
    started_at: isoTime(job.startedAtMs),
    ended_at: isoTime(ending?.endedAtMs ?? null),
    result: outcome.result,
    error: outcome.error,
    usage: usageView(ending),
    artifacts: outcome.artifacts,
    webhooks_left: job.deliveriesLeft,
  };
}

/** How a job ended: null and null for one that has not, or was not found. */
export function endView(ending: Ending | null) {
  return {
    error: errorView(ending),
    usage: usageView(ending),
  };
}

function usageView(ending: Ending | null) {
  return (
    ending && {
      prompt_tokens: ending.promptTokens,
      completion_tokens: ending.completionTokens,
    }
  );
}
