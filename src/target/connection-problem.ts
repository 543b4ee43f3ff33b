/** An error's code, such as ECONNREFUSED or UND_ERR_SOCKET; empty if it has none. */
export function errorCodeOf(cause: Error): string {
  return "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

/** "connect ECONNREFUSED 127.0.0.1:11434", or the several of a name with several addresses. */
export function connectionProblem(cause: Error): string {
  if (cause instanceof AggregateError && cause.message === "") {
    return cause.errors.map(String).join("; ");
  }
  return cause.message || errorCodeOf(cause) || cause.name;
}
