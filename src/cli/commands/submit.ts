import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { Command } from "commander";
import { z } from "zod";
import { jobDocument, jobSubmitted } from "../../wire/jobs.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { exitCodeOf, waitFor } from "../client/ended.ts";
import { jobPath } from "../client/paths.ts";
import { jsonOf } from "../json-of.ts";
import { errorWords } from "../output/job-text.ts";
import { printableLines } from "../output/printable.ts";
import type { Run, Session } from "../session.ts";
import { tellArtifact, tellWork } from "./job.ts";

type SubmitOptions = {
  readonly model?: string;
  readonly system?: string;
  readonly body?: string;
  readonly priority?: string;
  readonly idempotencyKey?: string;
  readonly webhook?: string;
  readonly wait?: boolean;
};

export function addSubmit(program: Command, run: Run): void {
  program
    .command("submit")
    .description("give foreman one prompt, as a job that outlives this command")
    .argument("[prompt]", "the prompt; - or none: read from stdin")
    .option("--model <model>", "who shall answer")
    .option("--system <prompt>", "a system prompt before it")
    .option("--body <file>", "a whole /api/chat or /api/generate request instead; - is stdin")
    .option("--priority <class>", "interactive or batch")
    .option("--idempotency-key <key>", "the same key again finds the same job")
    .option("--webhook <url>", "where its states are to be told")
    .option("--wait", "until it has ended, and print the answer")
    .action((prompt: string | undefined, options: SubmitOptions) =>
      run((session) => submit(session, prompt, options)),
    );
}

async function submit(
  session: Session,
  prompt: string | undefined,
  options: SubmitOptions,
): Promise<ExitCode> {
  const { client, printer } = session;
  const body = await bodyOf(session, prompt, options);
  const { document, json } = await client.ask(jobSubmitted, {
    method: "POST",
    path: "/jobs",
    body: { ...body, ...wishesOf(options) },
  });
  const id = document.job_id;
  if (!options.wait) {
    await printer.document(json, () => id);
    if (printer.isText) printer.note(`the job is kept: foreman job ${id} --wait`);
    return exitCodes.ok;
  }
  const told = await client.ask(jobDocument, { path: jobPath(id) });
  const ended = await waitFor(session, { kind: "job", told });
  if (ended === null) return exitCodes.interrupted;
  if (ended.kind === "job" && printer.isText) await tellAnswer(session, ended.told.document);
  else await tellWork(session, ended);
  return exitCodeOf(ended);
}

async function tellAnswer(session: Session, job: z.output<typeof jobDocument>): Promise<void> {
  if (job.state !== "done") {
    throw new CliFailure(exitCodes.failed, `${job.state}: ${errorWords(job) ?? "no reason told"}`);
  }
  // An answer too large for the job's document is an artifact alone.
  if (job.result === null) await tellArtifact(session, job.job_id, "completion");
  else await session.printer.text(printableLines(job.result));
}

function wishesOf({ idempotencyKey, priority, webhook }: SubmitOptions): object {
  return {
    ...(priority !== undefined && { priority }),
    ...(idempotencyKey !== undefined && { idempotency_key: idempotencyKey }),
    ...(webhook !== undefined && { state_webhook_url: webhook }),
  };
}

async function bodyOf(
  { shell }: Session,
  prompt: string | undefined,
  { body, model, system }: SubmitOptions,
): Promise<object> {
  if (body !== undefined) {
    const given = z
      .looseObject({})
      .safeParse(jsonOf(body === "-" ? await textOf(shell.stdin) : await readText(body)));
    if (given.success) return { ...given.data, ...(model !== undefined && { model }) };
    throw new CliFailure(exitCodes.badInput, `--body ${body} is not a JSON object`);
  }
  if (model === undefined) {
    throw new CliFailure(exitCodes.usage, "--model is wanted; `foreman models` lists them");
  }
  const content = prompt === undefined || prompt === "-" ? await textOf(shell.stdin) : prompt;
  if (content.trim() === "") throw new CliFailure(exitCodes.badInput, "the prompt is empty");
  const messages = [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    { role: "user", content },
  ];
  return { model, messages };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(exitCodes.noInput, `cannot read it: ${words}`, { cause });
  }
}
