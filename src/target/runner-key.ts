const separator = " ";

/**
 * The key of the runner that a job needs: jobs with equal keys follow each other without a reload.
 * Ollama keys a runner by the model's blob and its load-time options (server/sched.go needsReload);
 * the digest stands for the blob, so that aliases made by copying share a runner.
 *
 * @param digest the model's digest from /api/tags, or its name while that is not known
 * @param loadOptions canonical text of the load-time options; empty for none
 */
export function runnerKeyOf(digest: string, loadOptions: string): string {
  return loadOptions === "" ? digest : `${digest}${separator}${loadOptions}`;
}

/** The key of a model that is loaded without options of its own. */
export function plainRunnerKey(digest: string): string {
  return runnerKeyOf(digest, "");
}

/** The digest inside a runner key. */
export function digestOf(runnerKey: string): string {
  return runnerKey.split(separator, 1)[0] ?? runnerKey;
}
