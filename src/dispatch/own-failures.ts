import type { TargetFailure } from "../target/target.ts";

/** Failures that no exchange reported. */

export const unsent: TargetFailure = {
  kind: "aborted",
  afterHead: false,
  message: "cut before it was sent",
  cause: null,
};

export const truncated: TargetFailure = {
  kind: "lost",
  afterHead: true,
  message: "the target closed the connection before the answer was whole",
  cause: null,
};
