/** Where the runtime-LLM API is. */
export const runtimePath = "/api/runtime/llm";

/** Of one batch. */
export function batchPath(id: string): string {
  return `${runtimePath}/jobs/${encodeURIComponent(id)}`;
}

/** Of one job of `/jobs`. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

/** A query of what is given; empty if nothing is. */
export function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter(
    (member): member is [string, string] => member[1] !== undefined,
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
