import type { Command } from "commander";
import { jobDocument, jobsCancelled } from "../../wire/jobs.ts";
import { batchView } from "../../wire/runtime-answers.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { findWork } from "../client/ended.ts";
import { batchPath, jobPath, segmentOf } from "../client/paths.ts";
import type { Run, Session } from "../session.ts";

type CancelOptions = {
  readonly model?: string;
  readonly client?: string;
  readonly all?: boolean;
  readonly running?: boolean;
};

export function addCancel(program: Command, run: Run): void {
  program
    .command("cancel")
    .description("end a job or batch, wherever it is; or all that waits and fits")
    .argument("[ids...]", "jobs and batches")
    .option("--model <model>", "all waiting jobs of this model")
    .option("--client <client>", "all waiting jobs of this client")
    .option("--all", "all waiting jobs")
    .option("--running", "those that run as well")
    .action((ids: readonly string[], options: CancelOptions) =>
      run((session) => cancel(session, ids, options)),
    );
}

async function cancel(
  session: Session,
  ids: readonly string[],
  options: CancelOptions,
): Promise<ExitCode> {
  const isFilter = Object.keys(options).length > 0;
  if (isFilter === ids.length > 0) {
    throw new CliFailure(
      exitCodes.usage,
      "name either jobs by their ids, or --model, --client or --all",
    );
  }
  // All of them before the first is cancelled.
  for (const id of ids) segmentOf(id);
  if (isFilter) await cancelMany(session, options);
  for (const id of ids) await cancelOne(session, id);
  return exitCodes.ok;
}

async function cancelMany({ client, printer }: Session, body: CancelOptions): Promise<void> {
  const question = { method: "POST", path: "/jobs/cancel", body, isLong: true } as const;
  const { document, json } = await client.ask(jobsCancelled, question);
  await printer.document(json, () => `${document.cancelled} jobs cancelled`);
}

async function cancelOne(session: Session, id: string): Promise<void> {
  const { client, printer } = session;
  const { kind } = await findWork(session, id);
  if (kind === "job") {
    const path = `${jobPath(id)}/cancel`;
    const { document, json } = await client.ask(jobDocument, { method: "POST", path });
    await printer.document(json, () => `job ${id} is ${document.state}`);
  } else {
    const path = `${batchPath(id)}/cancel`;
    const { document, json } = await client.ask(batchView, { method: "POST", path, isLong: true });
    await printer.document(json, () => `batch ${id} is ${document.status}`);
  }
}
