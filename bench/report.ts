import { limits } from "./limits.ts";
import type { Row, RowResult, Table } from "./row.ts";

export type Measured = {
  readonly row: Row;
  readonly result: RowResult | { readonly error: string };
};

type ReportOptions = {
  readonly facts: readonly (readonly [string, string])[];
  readonly measured: readonly Measured[];
  readonly isQuick: boolean;
};

/** The whole report as Markdown. */
export function writeReport({ facts, isQuick, measured }: ReportOptions): string {
  const quick = isQuick
    ? ["", "A quick run: few rounds, good for a look and not for a judgement."]
    : [];
  return [
    "# Benchmarks",
    "",
    "Made by `npm run bench`; do not edit. Ratios to a yardstick measured in the same run count,",
    "not absolute times. A figure with a range behind it is the median of the rounds with their",
    "extremes; the peers take turns within a round.",
    ...quick,
    "",
    ...tableLines({ head: ["", ""], rows: facts }),
    "",
    "The measured process (foreman or a proxy, with all its threads) is bound to one core; the",
    "target, the clients and the benchmark share the other. Whatever else runs on the machine runs",
    "on both: the spread shows how much that was, and CPU time suffers less of it than wall time.",
    "nginx runs with one worker and without a master, unbuffered, over kept connections; haproxy",
    "with one thread, sharing kept connections. The bare proxy is `bench/bare-proxy.ts`. The target",
    "is `bench/fast-target.ts`: raw sockets, answers made beforehand, no model, so that it is not",
    "what is measured.",
    "",
    ...tableLines(summaryOf(measured)),
    ...measured.flatMap(sectionOf),
    "",
    limits,
    "",
  ].join("\n");
}

function summaryOf(measured: readonly Measured[]): Table {
  return {
    head: ["row", "what", "yardstick", "must reach", "measured", "verdict"],
    rows: measured.map(({ result, row }) => {
      const common = [String(row.number), row.what, row.yardstick, row.bar];
      if ("error" in result) return [...common, "–", "not measured"];
      return [...common, result.measured, `**${result.verdict}**`];
    }),
  };
}

function sectionOf({ result, row }: Measured): string[] {
  const title = ["", `## Row ${row.number}: ${row.what}`, ""];
  if ("error" in result) return [...title, `Not measured: ${result.error}`];
  const missing = result.missing.flatMap((sentence) => [`- ${sentence}`]);
  const profile =
    result.profile === undefined
      ? []
      : [
          "",
          "Where foreman's main thread spends its time, by a CPU profile of this row's load:",
          "",
          ...tableLines(result.profile),
        ];
  return [
    ...title,
    ...tableLines(result.table),
    ...(result.plots ?? []).flatMap(({ name, title }) => ["", `![${title}](plots/${name}.svg)`]),
    ...(missing.length > 0 ? ["", ...missing] : []),
    "",
    result.method,
    ...profile,
  ];
}

function tableLines({ head, rows }: Table): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
