import { Presets, SingleBar } from "cli-progress";
import type { Output } from "../shell.ts";
import { durationText } from "./duration-text.ts";
import type { BatchView } from "./job-text.ts";

/** A log of a build shows so many lines for a whole batch. */
const linesPerBatch = 10;

const format =
  "{bar} {percentage}% | {value} of {total} | {failed} failed | " +
  "{duration_formatted}, ETA {eta_formatted}";

export type Progress = {
  update(batch: BatchView): void;
  /** Leaves the terminal as it was. May be called twice. */
  stop(): void;
};

/** How far a batch is: a bar on a terminal, else a line for each tenth. */
export function showProgress(output: Output, batch: BatchView): Progress {
  return output.isTTY ? bar(output, batch) : lines(output);
}

function bar(stream: Output, batch: BatchView): Progress {
  const shown = new SingleBar(
    { stream, format, hideCursor: true, formatTime: timeText },
    Presets.shades_classic,
  );
  shown.start(batch.submitted_count, endedOf(batch), { failed: batch.failed_count });
  return {
    update: (now) => shown.update(endedOf(now), { failed: now.failed_count }),
    stop: () => shown.stop(),
  };
}

/** Of seconds; as long as nothing has ended, the bar's library has no number for the ETA. */
function timeText(seconds: unknown): string {
  return Number.isFinite(seconds) ? durationText(Number(seconds) * 1_000) : "unknown";
}

function lines(output: Output): Progress {
  let told = 0;
  return {
    update: (batch) => {
      const tenth = Math.floor((endedOf(batch) / batch.submitted_count) * linesPerBatch);
      if (tenth <= told) return;
      told = tenth;
      const { failed_count: failed, submitted_count: total } = batch;
      output.write(`foreman: ${endedOf(batch)} of ${total} items have ended, ${failed} failed\n`);
    },
    stop: () => {},
  };
}

function endedOf(batch: BatchView): number {
  return batch.completed_count + batch.failed_count + batch.cancelled_count;
}
