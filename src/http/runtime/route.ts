import type { Call } from "../call.ts";

/** A route of the runtime-LLM API. */
export type Route = readonly [
  method: string,
  path: string,
  handler: (call: Call) => Promise<void> | void,
];

/** Where they all stand. */
export const llm = "/api/runtime/llm";
