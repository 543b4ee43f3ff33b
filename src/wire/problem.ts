import type { z } from "zod";

/** One thing that is wrong with a request, as FastAPI's clients know it. */
export type Problem = {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
};

/** What zod found, each under its place in the request. */
export function problemsOf(error: z.ZodError, at: Problem["loc"]): Problem[] {
  return error.issues.map(({ code, message, path }) => ({
    loc: [...at, ...path.map((part) => (typeof part === "symbol" ? String(part) : part))],
    msg: message,
    type: code,
  }));
}
