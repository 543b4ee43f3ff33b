import type { LanePause } from "./snapshot.ts";

/**
 * Why a lane's head is not let through now. Structured, for pages and metrics; words by `explain`.
 */
export type HoldReason =
  | { readonly kind: "draining" }
  /** An operator paused such work. */
  | ({ readonly kind: "paused" } & LanePause)
  /** Its claim cannot be written down, so it must not be sent. */
  | { readonly kind: "store-stuck" }
  | { readonly kind: "target-away"; readonly awayMs: number }
  /** The target lacks its model, which is required; `progress` says what is done about it. */
  | { readonly kind: "model-missing"; readonly progress: string }
  /** A slot is free, but its client has its own `slots` in use. */
  | { readonly kind: "client-full"; readonly client: string; readonly slots: number }
  /**
   * `count` jobs of the same runner go first: those that run, and the heads with a better claim.
   */
  | { readonly kind: "ahead"; readonly count: number }
  /** `count` interactive jobs wait, and no batch start is due. */
  | { readonly kind: "behind-people"; readonly count: number }
  /** `runnerKey` has the slot, and may keep it from this head for at most `keepsMs` more. */
  | {
      readonly kind: "other-runner";
      readonly runnerKey: string;
      readonly mustLoad: boolean;
      readonly keepsMs: number;
    }
  /**
   * A slot is free, but filling it would put off `runnerKey`, whose turn comes when all are free.
   */
  | { readonly kind: "making-way"; readonly runnerKey: string };

/**
 * A hold's reason as a person reads it: "target away 43 s", "3 ahead, same model".
 * `modelOf` names the model of a runner key, which means nothing to people.
 */
export function explain(reason: HoldReason, modelOf: (runnerKey: string) => string): string {
  switch (reason.kind) {
    case "draining":
      return "foreman is draining and starts nothing more";
    case "paused":
      return `paused by ${reason.by} since ${reason.since}${reason.note ? `: ${reason.note}` : ""}`;
    case "store-stuck":
      return "the database does not write: see /healthz";
    case "target-away":
      return `target away ${duration(reason.awayMs, Math.floor)}`;
    case "model-missing":
      return `waits for its model, which the target lacks: ${reason.progress}`;
    case "client-full":
      return `${reason.client} may run ${reason.slots} at once, and does`;
    case "ahead":
      return `${reason.count} ahead, same model`;
    case "behind-people":
      return `batch work waits for ${reason.count} interactive ${plural(reason.count)}`;
    case "other-runner":
      return otherRunner(reason, modelOf(reason.runnerKey));
    case "making-way":
      return `makes way for ${modelOf(reason.runnerKey)}, which is next`;
    default:
      return reason satisfies never;
  }
}

type OtherRunner = Extract<HoldReason, { kind: "other-runner" }>;

function otherRunner({ mustLoad, keepsMs }: OtherRunner, model: string): string {
  const what = mustLoad ? "a model swap" : "its model's turn";
  const keeps = keepsMs > 0 ? ` and may keep its turn for ${duration(keepsMs)}` : "";
  return `waits for ${what}: ${model} is running${keeps}`;
}

function plural(count: number): string {
  return count === 1 ? "request" : "requests";
}

/** Rounded up, so that what is left never reads as nothing; of what has passed, full minutes. */
function duration(ms: number, round = Math.ceil): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${round(seconds / 60)} min`;
}
