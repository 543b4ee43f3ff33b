/**
 * Preloaded into foreman (`node --import`): on each SIGUSR2 it writes how far the event loop of its
 * main thread lagged since the one before, and forgets it. Foreman knows nothing of it.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** The histogram counts the sleep between two looks as well; that much is no lag. */
const resolutionMs = 1;

const file = process.env.BENCH_LOOP_DELAY;

if (isMainThread && file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  process.on("SIGUSR2", () => {
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs);
    const lag = {
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      most: ms(histogram.max),
    };
    histogram.reset();
    writeFileSync(`${file}.part`, JSON.stringify(lag));
    renameSync(`${file}.part`, file);
  });
}
