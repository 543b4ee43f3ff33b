import type { Command } from "commander";
import type { z } from "zod";
import { resultsPage, resultView } from "../../wire/runtime-answers.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { findWork } from "../client/ended.ts";
import { linesOf } from "../client/lines.ts";
import { batchPath, queryOf } from "../client/paths.ts";
import { notForeman, unreachable } from "../client/refusal.ts";
import { jsonOf } from "../json-of.ts";
import { errorWords } from "../output/job-text.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";
import { tellArtifact } from "./job.ts";

type ResultsOptions = { readonly status?: string; readonly approval?: string };

/** An answer (FOREMAN_ANSWER_MAX), twice for its parsed form, and escapes. */
const lineBytesMax = 256 * 2 ** 20;

export function addResults(program: Command, run: Run): void {
  program
    .command("results")
    .description("what a batch made, a JSON line for each item; of a job, its answer")
    .argument("<id>", "the batch or job")
    .option("--status <status>", "queued, running, completed, failed or cancelled")
    .option("--approval <state>", "pending, approved or rejected")
    .action((id: string, options: ResultsOptions) => run((session) => show(session, id, options)));
}

async function show(session: Session, id: string, options: ResultsOptions): Promise<ExitCode> {
  const found = await findWork(session, id);
  if (found.kind === "batch") {
    const { approval, status } = options;
    const filter = { status, approval };
    if (session.printer.isText) await tellPages(session, id, filter);
    else await tellLines(session, id, filter);
    return exitCodes.ok;
  }
  const { document } = found.told;
  if (document.state === "done") {
    await tellArtifact(session, id, "completion");
    return exitCodes.ok;
  }
  const why = errorWords(document) ?? `it is ${document.state}: foreman job ${id} --wait`;
  throw new CliFailure(exitCodes.failed, `job ${id} has no result, ${why}`);
}

type Filter = { readonly status: string | undefined; readonly approval: string | undefined };

async function tellLines({ client, printer }: Session, id: string, filter: Filter) {
  const path = `${batchPath(id)}/results${queryOf(filter)}`;
  const headers = { accept: "application/x-ndjson" };
  const answer = await client.open({ path, headers, isLong: true });
  try {
    for await (const { number, text } of linesOf(answer.body ?? [], lineBytesMax)) {
      const isResult = resultView.safeParse(jsonOf(text)).success;
      if (!isResult) throw notForeman(client.url, path, `line ${number}`);
      await printer.json(text);
    }
  } catch (cause) {
    throw cause instanceof CliFailure ? cause : unreachable(client.url, cause);
  }
}

async function tellPages({ client, printer }: Session, id: string, filter: Filter) {
  let after: string | undefined;
  do {
    const limit = String(runtimeLimits.pageItems);
    const path = `${batchPath(id)}/results${queryOf({ ...filter, limit, after })}`;
    const { document } = await client.ask(resultsPage, { path });
    if (document.results.length > 0 || after === undefined) {
      await printer.text(resultsText(document.results, printer.width));
    }
    after = document.next === null ? undefined : String(document.next);
  } while (after !== undefined);
}

type Result = z.output<typeof resultView>;

function resultsText(results: readonly Result[], width: number | null): string {
  const rows = results.map((result) => [
    result.request_id,
    result.status,
    result.approval?.state ?? "",
    result.usage?.completion_tokens ?? null,
    answerWords(result),
  ]);
  return table(["REQUEST", "STATUS", "APPROVAL", "TOKENS", "ANSWER"], rows, width);
}

function answerWords({ content, error, previous_error, status }: Result): string | null {
  if (error !== null) return `${error.code}: ${error.message}`;
  if (previous_error === null || status === "completed") return content;
  return `tried again after ${previous_error.code}: ${previous_error.message}`;
}
