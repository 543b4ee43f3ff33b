import { isoTime } from "../../clock.ts";
import type { Ending } from "../../job.ts";
import type { Answer, StoredJob } from "../../store/store.ts";
import { type Completion, completionOf } from "../../wire/completion.ts";
import { answerBytes } from "../stored-answer.ts";

/** Larger ones are fetched as an artifact. */
const inlineBytesMax = 256 * 2 ** 10;

/** Where a waiting job stands, why it is not let through, and in how many ms it should start. */
export type Wait = {
  readonly position: number | null;
  readonly reason: string | null;
  readonly etaMs: number | null;
};

type Artifact = { readonly contentType: string; readonly bytes: Buffer };

/** The artifacts of a done job, by name. */
export type Artifacts = ReadonlyMap<string, Artifact>;

/** A job as `/jobs` shows it; `wait` for one that waits, `artifacts` for one that is done. */
export function jobView(job: StoredJob, wait: Wait | null, artifacts: Artifacts | null) {
  const { ending } = job;
  const completion = artifacts?.get("completion")?.bytes;
  const isInline = completion !== undefined && completion.length <= inlineBytesMax;
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
    result: isInline ? completion.toString("utf8") : null,
    ...endView(ending),
    artifacts: [...(artifacts ?? [])].map(([name, { bytes }]) => ({
      name,
      bytes: bytes.length,
      url: `/jobs/${job.id}/artifacts/${name}`,
    })),
  };
}

/** How a job ended: null and null for one that has not, or was not found. */
export function endView(ending: Ending | null) {
  return {
    error: ending?.reason ? { code: ending.reason, message: ending.message } : null,
    usage: ending && {
      prompt_tokens: ending.promptTokens,
      completion_tokens: ending.completionTokens,
    },
  };
}

/** What a kept answer holds: always the completion, and the answer as the target sent it. */
export async function artifactsOf(kept: Answer): Promise<Artifacts> {
  const response = await answerBytes(kept);
  const { text, thinking, toolCalls }: Completion = await completionOf(response);
  const plain = "text/plain; charset=utf-8";
  const artifacts = new Map<string, Artifact>();
  artifacts.set("completion", { contentType: plain, bytes: Buffer.from(text) });
  if (thinking !== "") {
    artifacts.set("thinking", { contentType: plain, bytes: Buffer.from(thinking) });
  }
  if (toolCalls.length > 0) {
    const bytes = Buffer.from(JSON.stringify(toolCalls));
    artifacts.set("tool_calls", { contentType: "application/json", bytes });
  }
  return artifacts.set("response", { contentType: kept.contentType, bytes: response });
}
