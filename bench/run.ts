/**
 * Runs the benchmarks. The whole run writes bench/REPORT.md; `--quick` (fewer, shorter rounds) and
 * `--only 1,3` print theirs, so that neither replaces the whole one.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { canPin, otherCpu } from "./child.ts";
import { describeLoad, describeMachine } from "./machine.ts";
import { drawPlot } from "./plot.ts";
import { type Measured, writeReport } from "./report.ts";
import type { Row } from "./row.ts";
import { batchIngest } from "./rows/batch-ingest.ts";
import { claimAtDepth } from "./rows/claim-at-depth.ts";
import { embedThroughput } from "./rows/embed-throughput.ts";
import { embedUnderChat } from "./rows/embed-under-chat.ts";
import { otherGateways } from "./rows/gateways.ts";
import { generationGap } from "./rows/generation-gap.ts";
import { idleChat } from "./rows/idle-chat.ts";
import { modelSwaps } from "./rows/model-swaps.ts";
import { personAmongBatch } from "./rows/person-among-batch.ts";
import { relayedLines } from "./rows/relayed-lines.ts";
import { slowReader } from "./rows/slow-reader.ts";
import { startAtDepth } from "./rows/start-at-depth.ts";
import { waitingClients } from "./rows/waiting-clients.ts";

const rows: readonly Row[] = [
  idleChat,
  generationGap,
  embedThroughput,
  relayedLines,
  modelSwaps,
  personAmongBatch,
  embedUnderChat,
  batchIngest,
  claimAtDepth,
  startAtDepth,
  waitingClients,
  slowReader,
  otherGateways,
];

const { values } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean", default: false } },
});
const asked = values.only?.split(",").map(Number) ?? rows.map((row) => row.number);
const isQuick = values.quick;

// This process is the client: it must not sit on the core of what it measures.
if (canPin) spawnSync("taskset", ["-a", "-p", "-c", otherCpu, String(process.pid)]);

const facts = describeMachine();
const beganAtMs = performance.now();
const measured: Measured[] = [];
for (const row of rows) {
  if (!asked.includes(row.number)) continue;
  process.stderr.write(`row ${row.number}: ${row.what} … `);
  const one = await measure(row);
  measured.push(one);
  process.stderr.write(`${"error" in one.result ? one.result.error : one.result.measured}\n`);
}
const tookS = Math.round((performance.now() - beganAtMs) / 1e3);
const ending = [
  ["load average at the end", describeLoad()],
  ["the run took", `${tookS} s`],
] as const;
const report = writeReport({ facts: [...facts, ...ending], measured, isQuick });
if (isQuick || values.only !== undefined) process.stdout.write(report);
else publish(report);
process.exitCode = measured.some(({ result }) => "error" in result) ? 1 : 0;

function publish(text: string): void {
  writeFileSync(join(import.meta.dirname, "REPORT.md"), text);
  for (const { result } of measured) {
    if ("error" in result) continue;
    for (const plot of result.plots ?? []) {
      writeFileSync(join(import.meta.dirname, "plots", `${plot.name}.svg`), drawPlot(plot));
    }
  }
}

async function measure(row: Row): Promise<Measured> {
  try {
    return { row, result: await row.run({ isQuick }) };
  } catch (cause) {
    return { row, result: { error: String(cause) } };
  }
}
