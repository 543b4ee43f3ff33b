import type { Status } from "../../wire/status.ts";
import { durationText } from "./duration-text.ts";
import { printable } from "./printable.ts";
import { sizeText } from "./size-text.ts";
import { table } from "./table.ts";

/** `GET /foreman/status` for a person: a line of the whole, then who runs, who waits and why. */
export function statusText(status: Status, width: number | null): string {
  const waiting = status.waiting.reduce((sum, { depth }) => sum + depth, 0);
  const { unfed } = status.batches;
  const head = [
    targetText(status.target),
    `${status.running.length} of ${status.slots} slots busy`,
    `${waiting} waiting`,
    ...(unfed > 0 ? [`${unfed} more items of batches in the store`] : []),
  ];
  const parts = [
    head.join(", "),
    ...troubles(status),
    runningText(status, width),
    waitingText(status, width),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** What runs, a line each; empty if nothing does. */
export function runningText({ running }: Pick<Status, "running">, width: number | null): string {
  if (running.length === 0) return "";
  const rows = running.map((job) => [
    job.job_id,
    job.model,
    job.priority,
    job.client,
    durationText(job.ran_ms),
    job.tokens,
  ]);
  return table(["RUNNING", "MODEL", "CLASS", "CLIENT", "SINCE", "TOKENS"], rows, width);
}

/** What the target has loaded, a line each; empty if that is nothing. */
export function loadedText({ target }: Pick<Status, "target">, width: number | null): string {
  if (target.loaded.length === 0) return "";
  const rows = target.loaded.map((model) => [
    model.name,
    sizeText(model.size_vram),
    model.expires_at,
  ]);
  return table(["LOADED", "VRAM", "UNTIL"], rows, width);
}

function waitingText({ waiting }: Status, width: number | null): string {
  if (waiting.length === 0) return "";
  const rows = waiting.map((line) => [
    line.depth,
    line.model,
    line.priority,
    line.client,
    durationText(line.head_waited_ms),
    durationText(line.eta_ms),
    line.reason,
  ]);
  return table(["WAITING", "MODEL", "CLASS", "CLIENT", "SINCE", "ETA", "WHY"], rows, width);
}

function targetText(target: Status["target"]): string {
  const { away_ms: awayMs, last_error: error, presence } = target;
  if (presence === "present") {
    const version = printable(target.version ?? "of unknown version");
    return `Ollama ${version}, ${target.models.length} models, ${target.loaded.length} loaded`;
  }
  const since = awayMs === null ? "" : ` for ${durationText(awayMs)}`;
  return `Ollama is ${presence}${since}${error === null ? "" : ` (${printable(error)})`}`;
}

function drainText({ drain, draining }: Status): readonly string[] {
  if (drain === null) return draining ? ["no new work is taken: foreman stops"] : [];
  const why = drain.note === null ? "" : ` (${drain.note})`;
  return [printable(`no new work is taken, since ${drain.since} by ${drain.by}${why}`)];
}

/** What an operator should look at, a line each. */
function troubles(status: Status): readonly string[] {
  const { paused, stalls, watchdog, webhooks } = status;
  const lines = [
    ...drainText(status),
    ...paused.map(({ by, class: of, model, note, since }) =>
      printable(
        `paused: ${of ?? "all"} work of ${model ?? "every model"}, ` +
          `since ${since} by ${by}${note === null ? "" : ` (${note})`}`,
      ),
    ),
    ...(stalls.in_a_row > 0 ? [`${stalls.in_a_row} generations in a row hung and were cut`] : []),
    ...watchdog
      .filter(({ state }) => state !== "present")
      .map(({ model, percent, problems, state }) => {
        const done = percent === null ? "" : ` ${percent}%`;
        return printable(`required model ${model} is ${state}${done} ${problems.join("; ")}`);
      }),
    ...webhooks.failing.map(({ failures, last_error: error, receiver }) =>
      printable(`webhooks to ${receiver} failed ${failures} times: ${error}`),
    ),
  ];
  return lines.length === 0 ? [] : [lines.join("\n")];
}
