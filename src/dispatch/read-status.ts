import { type Clock, isoTime } from "../clock.ts";
import type { Controls } from "../controls/controls.ts";
import type { Queue } from "../queue/queue.ts";
import { explain } from "../scheduler/hold-reason.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import { optionsOf, type Runners } from "../target/runners.ts";
import type { Status } from "../wire/status.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Measures } from "./measures.ts";
import { nameRunner } from "./name-runner.ts";
import { tokensPerS } from "./progress-of.ts";
import type { Running } from "./slots.ts";
import type { Stalls } from "./stalls.ts";

type StatusSources = {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  readonly inventory: Inventory;
  readonly runners: Runners;
  readonly poller: Poller;
  readonly stalls: Stalls;
  readonly controls: Controls;
};

/** What runs, who waits and why, as it stands now. */
export function readStatus(
  sources: StatusSources,
): Omit<Status, "batches" | "webhooks" | "watchdog" | "today"> {
  const { clock, controls, dispatcher, inventory, poller, queue, runners } = sources;
  const nowMs = clock.monotonicMs();
  const modelOf = (runnerKey: string) => nameRunner(runnerKey, sources);
  const { view } = dispatcher;
  const { awaySinceMs, lastError, presence } = poller.state;
  return {
    target: {
      presence,
      away_ms: awaySinceMs === null ? null : Math.round(nowMs - awaySinceMs),
      last_error: lastError,
      version: inventory.version,
      models: [...inventory.models.values()].map(({ name }) => name),
      loaded: inventory.loaded.map(({ expires_at, name, size_vram }) => ({
        name,
        size_vram,
        expires_at,
      })),
    },
    slots: controls.slots,
    slots_setting: controls.slotsSetting,
    paused: [...controls.pauses],
    draining: queue.isDraining || queue.closing !== null,
    drain: queue.closing,
    running: view.running.map((running) => runningLine(running, nowMs)),
    waiting: [...queue.lanes()].map((lane) => {
      const [head] = lane.waiting.values();
      const hold = view.holds.get(lane.key);
      const etaMs = head === undefined ? null : dispatcher.startsInMs(lane.key, 1);
      return {
        model: runners.modelOf(lane.loadKey),
        priority: lane.class,
        client: lane.client,
        durable: lane.isDurable,
        depth: lane.waiting.size + lane.storedBehind,
        head_waited_ms: head === undefined ? null : Math.round(nowMs - head.joinedAtMs),
        reason: hold === undefined ? null : explain(hold, modelOf),
        eta_ms: etaMs === null ? null : Math.round(etaMs),
      };
    }),
    loads: [...view.measures.residents.swapMs].map(([runnerKey, ms]) => ({
      model: modelOf(runnerKey),
      load_ms: Math.round(ms),
    })),
    swaps: swapsOf(view.measures, runners),
    stalls: stallsOf(sources.stalls),
  };
}

function runningLine(running: Running, nowMs: number): Status["running"][number] {
  const { run, startedAtMs, waiting } = running;
  const { attempts, job } = waiting;
  return {
    job_id: job.id,
    model: job.model,
    priority: job.class,
    client: job.client,
    ran_ms: Math.round(nowMs - startedAtMs),
    attempts,
    tokens: run.progress.tokens,
    tokens_per_s: tokensPerS(running, nowMs),
  };
}

function stallsOf({ view: { count, inARow, latest } }: Stalls): Status["stalls"] {
  const { atMs, jobId, model } = latest ?? { atMs: 0, jobId: "", model: "" };
  const last = latest === null ? null : { at: isoTime(atMs), job_id: jobId, model };
  return { count, in_a_row: inARow, last };
}

/** Models by the names that were asked for: of a runner's names another might come first. */
function swapsOf({ loadLog, runCount }: Measures, runners: Runners): Status["swaps"] {
  const { count, optionsCount, totalMs, untoldCount } = loadLog.totals;
  return {
    runs: runCount,
    count,
    load_ms: Math.round(totalMs),
    untold: untoldCount,
    for_options: optionsCount,
    recent: loadLog.latest.map(({ atMs, cause, client, from, loadMs, to }) => {
      const fromKey = from === null ? null : runners.keyOf(from);
      const toKey = runners.keyOf(to);
      return {
        at: isoTime(atMs),
        from: from === null ? null : runners.modelOf(from),
        to: runners.modelOf(to),
        cause,
        from_options: fromKey === null ? null : optionsOf(fromKey),
        to_options: optionsOf(toKey),
        client,
        load_ms: loadMs === null ? null : Math.round(loadMs),
      };
    }),
  };
}
