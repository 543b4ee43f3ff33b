import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { exitCodeOf, type Found, findWork, waitFor } from "../client/ended.ts";
import { jobPath, segmentOf } from "../client/paths.ts";
import { batchText, jobText } from "../output/job-text.ts";
import { printableLines } from "../output/printable.ts";
import { showProgress } from "../output/progress.ts";
import type { Run, Session } from "../session.ts";

type JobOptions = { readonly wait?: boolean; readonly artifact?: string };

export function addJob(program: Command, run: Run): void {
  program
    .command("job")
    .description("one job or batch: its state, and why it waits or failed")
    .argument("<id>", "as submit, jobs and batch tell it")
    .option("--wait", "until it has ended; Ctrl-C ends the looking, not the work")
    .option("--artifact <name>", "what it made instead: completion, thinking, tool_calls, response")
    .action((id: string, options: JobOptions) => run((session) => showJob(session, id, options)));
}

async function showJob(session: Session, id: string, options: JobOptions): Promise<ExitCode> {
  const found = await findWork(session, id);
  const shown = options.wait ? await waitWithProgress(session, found) : found;
  if (shown === null) return exitCodes.interrupted;
  if (options.artifact === undefined) await tellWork(session, shown);
  else await tellArtifact(session, id, options.artifact);
  return options.wait ? exitCodeOf(shown) : exitCodes.ok;
}

/** Waits as `waitFor`, with a bar on stderr for a batch. */
export async function waitWithProgress(session: Session, found: Found): Promise<Found | null> {
  if (found.kind === "job") return await waitFor(session, found);
  const progress = showProgress(session.shell.stderr, found.told.document);
  try {
    return await waitFor(session, found, {
      onReading: ({ kind, told }) => {
        if (kind === "batch") progress.update(told.document);
      },
      onEnd: () => progress.stop(),
    });
  } finally {
    progress.stop();
  }
}

/** A job or batch, as it is now. */
export async function tellWork({ printer }: Session, { kind, told }: Found): Promise<void> {
  await printer.document(told.json, () =>
    kind === "job" ? jobText(told.document) : batchText(told.document),
  );
}

/** What a job made, as it is; on a terminal without what would steer it. */
export async function tellArtifact(
  { client, printer, shell }: Session,
  id: string,
  name: string,
): Promise<void> {
  const path = `${jobPath(id)}/artifacts/${segmentOf(name)}`;
  const answer = await client.open({ path, isLong: true });
  if (shell.stdout.isTTY) await printer.text(printableLines(await answer.text()));
  else for await (const piece of answer.body ?? []) await printer.raw(piece);
}
