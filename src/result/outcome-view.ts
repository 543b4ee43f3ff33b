import type { Ending, JobId } from "../job.ts";
import type { Artifacts } from "./artifacts.ts";

/** Larger ones are fetched as an artifact. */
const inlineBytesMax = 256 * 2 ** 10;

/**
 * What became of a job, as foreman tells it wherever it does: `ending` null for a job that has none
 * yet, `artifacts` for one that is done.
 */
export function outcomeView(id: JobId, ending: Ending | null, artifacts: Artifacts | null) {
  const completion = artifacts?.get("completion")?.bytes;
  const isInline = completion !== undefined && completion.length <= inlineBytesMax;
  return {
    result: isInline ? completion.toString("utf8") : null,
    error: errorView(ending),
    artifacts: [...(artifacts ?? [])].map(([name, { bytes }]) => ({
      name,
      bytes: bytes.length,
      url: `/jobs/${id}/artifacts/${name}`,
    })),
  };
}

/** Why a job did not end well: null for one that did, or has not ended. */
export function errorView(ending: Ending | null) {
  return ending?.reason ? { code: ending.reason, message: ending.message } : null;
}
