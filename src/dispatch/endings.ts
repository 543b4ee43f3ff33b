import type { Ending, EndReason } from "../job.ts";
import type { TargetHead } from "../target/target.ts";
import type { Tally } from "./tally.ts";

/** How a job ends whose answer came to an end by itself. */
export function endingOf(head: TargetHead | null, tally: Tally): Ending {
  const statusCode = head?.statusCode ?? 0;
  if (statusCode >= 400) {
    const reason = statusCode < 500 && statusCode !== 429 ? "target_refused" : "target_failed";
    const words = tally.error === null ? "" : `: ${tally.error}`;
    const message = `the target answered ${statusCode}${words}`;
    return failedEnding(head, tally, { reason, message });
  }
  if (tally.error !== null) {
    return failedEnding(head, tally, { reason: "target_failed", message: tally.error });
  }
  if (!tally.isComplete) {
    const message = "the answer ended without its end marker: the target stopped half way";
    return failedEnding(head, tally, { reason: "incomplete_answer", message });
  }
  const { completionTokens, promptTokens } = tally;
  return { state: "done", reason: null, message: null, statusCode, promptTokens, completionTokens };
}

/** A failure, with what the answer amounted to until then. */
export function failedEnding(
  head: TargetHead | null,
  { completionTokens, promptTokens }: Tally,
  { message, reason }: { readonly reason: EndReason; readonly message: string },
): Ending {
  const statusCode = head?.statusCode ?? null;
  return { state: "failed", reason, message, statusCode, promptTokens, completionTokens };
}
