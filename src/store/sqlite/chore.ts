import { fork } from "node:child_process";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { ForemanError } from "../../errors.ts";
import { openFailure, thrown } from "./sqlite-failure.ts";
import type { Failure } from "./thread-message.ts";

/** What a chore came to. */
type ChoreOutcome =
  | { readonly kind: "done"; readonly answer: string }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Of 19: the chore shall take what time nobody else wants. */
const niceness = 10;

/**
 * Runs a script that reads a whole database, in a process of its own. In a thread it could not be
 * stopped: a thread inside SQLite keeps its process from ending for as long (measured: 1.7 s for a
 * check of 600 MB), at a stop and after a failed sync of the disk alike.
 *
 * @returns what the script passed to `chore`
 * @throws ForemanError as the script failed; the signal's reason if it was aborted
 */
export async function runChore(
  script: URL,
  files: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const { promise, reject, resolve } = Promise.withResolvers<string>();
  const child = fork(fileURLToPath(script), files, {
    env: {},
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const kill = () => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  let outcome: ChoreOutcome | null = null;
  child.on("message", (message: ChoreOutcome) => {
    outcome = message;
  });
  child.on("error", reject);
  // Answered when the process is gone: until then it holds the database open.
  child.on("exit", (code, killedBy) => {
    signal.removeEventListener("abort", kill);
    if (outcome === null) {
      reject(signal.aborted ? signal.reason : broken(files[0] ?? "", code ?? killedBy));
    } else if (outcome.kind === "failed") reject(thrown(outcome.failure));
    else resolve(outcome.answer);
  });
  return await promise;
}

/** The script's side: does the work on the files that it was given, tells, and ends. */
export async function chore(
  work: (files: readonly string[]) => Promise<string> | string,
): Promise<void> {
  stepBack();
  // Whoever asked is gone, and with it the owner's lock on the database.
  process.on("disconnect", () => process.exit());
  const files = process.argv.slice(2);
  let outcome: ChoreOutcome;
  try {
    outcome = { kind: "done", answer: await work(files) };
  } catch (error) {
    outcome = { kind: "failed", failure: openFailure(error, files[0] ?? "") };
  }
  process.send?.(outcome, () => process.disconnect());
}

/** A service manager's sandbox may forbid even this; then the chore takes its full share. */
function stepBack(): void {
  try {
    setPriority(niceness);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_SYSTEM_ERROR")) {
      throw error;
    }
  }
}

function broken(file: string, end: number | string | null): ForemanError {
  const message = `a process of foreman's that was reading ${file} ended too soon (${end})`;
  return new ForemanError("storage_failed", message);
}
