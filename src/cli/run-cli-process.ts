import { foregroundClock } from "../clock.ts";
import { codeOf } from "../errors.ts";
import { exitCodes } from "./cli-failure.ts";
import { runCli } from "./run-cli.ts";

/** The process of a command: from its arguments to its exit code. */
export async function runCliProcess(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { stderr, stdin, stdout } = process;
  stdout.on("error", (cause) => {
    // `foreman results … | head` has read enough; that is no failure.
    if (codeOf(cause) === "EPIPE") process.exit(exitCodes.ok);
    stderr.write(`foreman: cannot write what it has to say: ${cause.message}\n`);
    process.exit(exitCodes.outputLost);
  });
  // Remarks that nobody reads are no reason to stop.
  stderr.on("error", () => {});
  const shell = { env, stdin, stdout, stderr, clock: foregroundClock, signals: process };
  process.exitCode = await runCli(args, shell);
}
