import type { Command } from "commander";
import { type HistoryDocument, historyDocument } from "../../wire/history.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { queryOf } from "../client/paths.ts";
import { durationText } from "../output/duration-text.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

export function addHistory(program: Command, run: Run): void {
  program
    .command("history")
    .description("what the last hour was like by the minute, or the last day by ten minutes")
    .option("--span <span>", "hour or day", "hour")
    .action(({ span }: { readonly span: string }) => run((session) => showHistory(session, span)));
}

async function showHistory({ client, printer }: Session, span: string): Promise<ExitCode> {
  const path = `/foreman/history${queryOf({ span })}`;
  const { document, json } = await client.ask(historyDocument, { path });
  await printer.document(json, () => historyText(document, printer.width));
  return exitCodes.ok;
}

function historyText({ samples }: HistoryDocument, width: number | null): string {
  const rows = samples.map((sample) => [
    sample.at,
    sample.jobs_done,
    sample.jobs_failed,
    sample.tokens,
    durationText(sample.wait_p50_ms),
    durationText(sample.wait_p95_ms),
    `${Math.round(sample.gpu_busy_share * 100)}%`,
    sample.swaps,
    sample.queued + sample.unfed,
  ]);
  const titles = [
    "SINCE",
    "DONE",
    "FAILED",
    "TOKENS",
    "WAIT P50",
    "P95",
    "BUSY",
    "SWAPS",
    "QUEUED",
  ];
  return table(titles, rows, width);
}
