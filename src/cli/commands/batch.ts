import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { batchList, batchRetried, batchView } from "../../wire/runtime-answers.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { batchBody } from "../client/batch-body.ts";
import { exitCodeOf } from "../client/ended.ts";
import type { Told } from "../client/foreman-client.ts";
import { batchPath, queryOf, runtimePath } from "../client/paths.ts";
import { type BatchView, batchText } from "../output/job-text.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";
import { tellWork, waitWithProgress } from "./job.ts";

type SubmitOptions = {
  readonly model?: string;
  readonly provider?: string;
  readonly jobType: string;
  readonly requiresApproval?: boolean;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
};

type ListOptions = { readonly status?: string; readonly limit: string; readonly after?: string };

export function addBatch(program: Command, run: Run): void {
  const batch = program.command("batch").description("many prompts in one piece");
  batch
    .command("submit")
    .description("submit a file of items, a JSON line each; - is stdin")
    .argument("<file>", 'lines such as {"request_id":"1","messages":[…]}')
    .option("--model <model>", "who shall answer all of it")
    .option("--provider <provider>", "ollama, nemoclaw, deterministic_fallback or auto")
    .option("--job-type <type>", "what it is for", "batch")
    .option("--requires-approval", "no result counts before somebody approved it")
    .option("--idempotency-key <key>", "the same key again finds the same batch")
    .option("--wait", "until it has ended, with a bar; Ctrl-C ends the looking, not the batch")
    .action((file: string, options: SubmitOptions) =>
      run((session) => submitBatch(session, file, options)),
    );
  batch
    .command("list")
    .description("batches, newest first")
    .option("--status <status>", "queued, running, completed, failed or cancelled")
    .option("--limit <count>", "at most so many, up to 1000", "50")
    .option("--after <next>", "the page behind that one's `next`")
    .action((options: ListOptions) => run((session) => listBatches(session, options)));
  batch
    .command("retry")
    .description("let the items of a batch that failed wait again")
    .argument("<id>", "the batch")
    .action((id: string) => run((session) => retryBatch(session, id)));
}

async function submitBatch(
  session: Session,
  file: string,
  options: SubmitOptions,
): Promise<ExitCode> {
  const { printer } = session;
  const told = await upload(session, file, options);
  const { job_id: id, submitted_count: count } = told.document;
  if (!options.wait) {
    await printer.document(told.json, () => batchText(told.document));
    if (printer.isText) printer.note(`the batch is kept: foreman job ${id} --wait`);
    return exitCodes.ok;
  }
  printer.note(`batch ${id}, ${count} items`);
  const ended = await waitWithProgress(session, { kind: "batch", told });
  if (ended === null) return exitCodes.interrupted;
  await tellWork(session, ended);
  const exitCode = exitCodeOf(ended);
  if (exitCode === exitCodes.itemsFailed) {
    printer.note(`some items failed: foreman results ${id} --status failed`);
  }
  return exitCode;
}

async function upload(
  { client, shell }: Session,
  file: string,
  options: SubmitOptions,
): Promise<Told<BatchView>> {
  const { idempotencyKey, jobType, model, provider, requiresApproval } = options;
  const head = { provider, model, job_type: jobType, requires_approval: requiresApproval };
  const items = file === "-" ? shell.stdin : createReadStream(file);
  let fault: CliFailure | null = null;
  async function* body() {
    try {
      yield* batchBody(head, bytesOf(items));
    } catch (cause) {
      // fetch tells of a failed upload in words of its own.
      if (cause instanceof CliFailure) fault = cause;
      throw cause;
    }
  }
  try {
    return await client.ask(batchView, {
      method: "POST",
      path: `${runtimePath}/batch`,
      body: ReadableStream.from(body()),
      headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
      isLong: true,
    });
  } catch (cause) {
    throw fault ?? cause;
  }
}

async function* bytesOf(items: NodeJS.ReadableStream): AsyncGenerator<Uint8Array | string> {
  for await (const piece of items) yield piece;
}

async function listBatches(
  { client, printer }: Session,
  { after, limit, status }: ListOptions,
): Promise<ExitCode> {
  const path = `${runtimePath}/jobs${queryOf({ status, limit, after })}`;
  const { document, json } = await client.ask(batchList, { path });
  const titles = ["BATCH", "STATUS", "ITEMS", "COMPLETED", "FAILED", "JOB TYPE", "CREATED"];
  await printer.document(json, () =>
    table(
      titles,
      document.jobs.map((batch) => [
        batch.job_id,
        batch.status,
        batch.submitted_count,
        batch.completed_count,
        batch.failed_count,
        batch.job_type,
        batch.created_at,
      ]),
      printer.width,
    ),
  );
  if (printer.isText && document.next !== null) {
    printer.note(`there are more: --after ${document.next}`);
  }
  return exitCodes.ok;
}

async function retryBatch({ client, printer }: Session, id: string): Promise<ExitCode> {
  const question = { method: "POST", path: `${batchPath(id)}/retry`, isLong: true } as const;
  const { document, json } = await client.ask(batchRetried, question);
  await printer.document(json, () => `${document.retried} items of batch ${id} wait again`);
  return exitCodes.ok;
}
