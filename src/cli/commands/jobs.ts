import type { Command } from "commander";
import { type JobDocument, jobList } from "../../wire/jobs.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { queryOf } from "../client/paths.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

type JobsOptions = {
  readonly state?: string;
  readonly model?: string;
  readonly client?: string;
  readonly after?: string;
  readonly limit?: string;
};

/** As many as a screen or two hold. */
const limitDefault = "50";

export function addJobs(program: Command, run: Run): void {
  program
    .command("jobs")
    .description("jobs of the queue, newest first")
    .option("--state <state>", "queued, loading, working, done, failed or cancelled")
    .option("--model <model>", "of this model")
    .option("--client <client>", "of this client")
    .option("--limit <count>", "at most so many, up to 1000", limitDefault)
    .option("--after <next>", "the page behind that one's `next`")
    .action((options: JobsOptions) => run((session) => listJobs(session, options)));
}

async function listJobs({ client, printer }: Session, options: JobsOptions): Promise<ExitCode> {
  const { after, client: of, limit, model, state } = options;
  const path = `/jobs${queryOf({ state, model, client: of, limit, after })}`;
  const { document, json } = await client.ask(jobList, { path });
  await printer.document(json, () => jobsText(document.jobs, printer.width));
  if (printer.isText && document.next !== null) {
    printer.note(`there are more: --after ${document.next}`);
  }
  return exitCodes.ok;
}

function jobsText(jobs: readonly JobDocument[], width: number | null): string {
  if (jobs.length === 0) return "no such jobs";
  const rows = jobs.map((job) => [
    job.job_id,
    job.state,
    job.model,
    job.priority,
    job.client,
    job.created_at,
    job.error?.message ?? job.error?.code ?? job.reason ?? "",
  ]);
  return table(["JOB", "STATE", "MODEL", "CLASS", "CLIENT", "SINCE", "WHY"], rows, width);
}
