import { callerView } from "../../wire/caller.ts";
import type { Operation } from "./operation.ts";

/** What the page asks for itself. The page is at `/foreman/`, for people. */
export const pageOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/foreman/me",
    summary: "Who the caller is to foreman, and what its scope is",
    answers: { 200: { description: "The caller", schema: callerView } },
  },
];
