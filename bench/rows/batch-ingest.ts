import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Peer } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, plain, withSpread } from "../statistics.ts";

const itemsPerSecondMin = 20_000;
const loopDelayMsMax = 10;

/** The yardstick writes so much at a time, as a body comes in from a socket. */
const chunkBytes = 64 * 2 ** 10;

/** While a batch comes in somebody asks after foreman's health so often. */
const probeEveryMs = 10;

type Lag = { readonly p50: number; readonly p99: number; readonly most: number };

type Ingest = {
  /** From the first byte sent to the 202, behind which the batch is on the disk. */
  readonly tookMs: number;
  readonly lag: Lag;
  /** What each probe meanwhile waited for its answer. */
  readonly probesMs: readonly number[];
};

export const batchIngest: Row = {
  number: 8,
  what: "ingest of a batch of 50,000 items",
  yardstick: "the same bytes written to a file and fsynced, in the same run",
  bar:
    `≥ ${plain(itemsPerSecondMin, 0)} items/s; ` +
    `event-loop delay p99 ≤ ${loopDelayMsMax} ms meanwhile`,
  run: (bench) => {
    const lagFile = join(process.cwd(), `.bench-loop-delay-${process.pid}`);
    const foremanEnv = {
      NODE_OPTIONS: `--import=${new URL("../loop-delay.ts", import.meta.url)}`,
      BENCH_LOOP_DELAY: lagFile,
    };
    return onScene({ peers: ["foreman"], foremanEnv, isForemanFree: true }, (scene) =>
      measure(scene, { bench, lagFile }).finally(() => rmSync(lagFile, { force: true })),
    );
  },
};

async function measure(
  scene: Scene,
  { bench, lagFile }: { readonly bench: Bench; readonly lagFile: string },
): Promise<RowResult> {
  const foreman = scene.peer("foreman");
  const items = bench.isQuick ? 10_000 : 50_000;
  const floors: number[] = [];
  const ingests: Ingest[] = [];
  for (let round = 0; round < (bench.isQuick ? 2 : 6); round += 1) {
    const body = Buffer.from(JSON.stringify(batchOf(items, round)));
    floors.push(writeThrough(join(scene.folder, "floor"), body));
    const ingest = await takeIn(foreman, { body, lagFile });
    // The first one meets code that was never run.
    if (round > 0) ingests.push(ingest);
  }
  return result({ items, floors: floors.slice(1), ingests });
}

function batchOf(items: number, round: number) {
  return {
    provider: "ollama",
    model: "bench-chat",
    job_type: "bench_ingest",
    items: Array.from({ length: items }, (_, i) => ({
      request_id: `req_${round}_${i}`,
      messages: [
        { role: "system", content: "You answer with one JSON object." },
        { role: "user", content: `Summarise the follow-ups of customer ${i}. `.repeat(6) },
      ],
      response_format: "json",
    })),
  };
}

/** In how many ms the disk takes the bytes at best. */
function writeThrough(file: string, body: Buffer): number {
  const startedAtMs = performance.now();
  const descriptor = openSync(file, "w");
  for (let from = 0; from < body.length; from += chunkBytes) {
    writeSync(descriptor, body, from, Math.min(chunkBytes, body.length - from));
  }
  fsyncSync(descriptor);
  closeSync(descriptor);
  return performance.now() - startedAtMs;
}

async function takeIn(
  foreman: Peer,
  { body, lagFile }: { readonly body: Buffer; readonly lagFile: string },
): Promise<Ingest> {
  await lagOf(foreman, lagFile);
  const probes = probe(foreman);
  const startedAtMs = performance.now();
  const response = await fetch(`${foreman.origin}/api/runtime/llm/batch`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: new Uint8Array(body),
  });
  const answer = await response.text();
  const tookMs = performance.now() - startedAtMs;
  const lag = await lagOf(foreman, lagFile);
  const probesMs = await probes.stop();
  if (response.status !== 202) throw new Error(`a batch was not taken: ${answer.slice(0, 200)}`);
  const { job_id: id } = JSON.parse(answer) as { readonly job_id: string };
  await cancelled(foreman, id);
  return { tookMs, lag, probesMs };
}

/** The lag of foreman's event loop since it was asked last. */
async function lagOf({ pid }: Peer, file: string): Promise<Lag> {
  rmSync(file, { force: true });
  process.kill(pid ?? 0, "SIGUSR2");
  while (!existsSync(file)) await delay(2);
  return JSON.parse(readFileSync(file, "utf8")) as Lag;
}

function probe({ origin }: Peer) {
  const tookMs: number[] = [];
  let isOver = false;
  const probing = (async () => {
    while (!isOver) {
      const askedAtMs = performance.now();
      await (await fetch(`${origin}/livez`)).arrayBuffer();
      tookMs.push(performance.now() - askedAtMs);
      await delay(probeEveryMs);
    }
  })();
  return {
    async stop(): Promise<readonly number[]> {
      isOver = true;
      await probing;
      return tookMs;
    },
  };
}

/** So that the next round finds foreman as idle as the first did. */
async function cancelled({ origin }: Peer, id: string): Promise<void> {
  const job = `${origin}/api/runtime/llm/jobs/${id}`;
  await (await fetch(`${job}/cancel`, { method: "POST" })).arrayBuffer();
  for (;;) {
    const { status } = (await (await fetch(job)).json()) as { readonly status: string };
    if (status === "cancelled" || status === "completed") return;
    await delay(20);
  }
}

type Facts = {
  readonly items: number;
  readonly floors: readonly number[];
  readonly ingests: readonly Ingest[];
};

function result({ floors, ingests, items }: Facts): RowResult {
  const perSecond = ingests.map(({ tookMs }) => (items / tookMs) * 1e3);
  const p99s = ingests.map(({ lag }) => lag.p99);
  const probesMs = ingests.flatMap((each) => each.probesMs);
  const isMet = median(perSecond) >= itemsPerSecondMin && median(p99s) <= loopDelayMsMax;
  const took = ingests.map(({ tookMs }) => tookMs);
  return {
    measured:
      `${plain(median(perSecond), 0)} items/s; event-loop delay p99 ` +
      `${plain(median(p99s), 1)} ms`,
    verdict: isMet ? "met" : "missed",
    missing: [],
    table: {
      head: ["", "median (least–most)"],
      rows: [
        [`ms from the first byte to the 202, ${plain(items, 0)} items`, withSpread(took, 0)],
        ["ms for the same bytes to a file, with fsync", withSpread(floors, 0)],
        ["items/s", withSpread(perSecond, 0)],
        [
          "event-loop delay p50, ms",
          withSpread(
            ingests.map(({ lag }) => lag.p50),
            1,
          ),
        ],
        ["event-loop delay p99, ms", withSpread(p99s, 1)],
        [
          "event-loop delay, most, ms",
          withSpread(
            ingests.map(({ lag }) => lag.most),
            0,
          ),
        ],
        ["GET /livez meanwhile, p50 ms", plain(median(probesMs), 1)],
        ["GET /livez meanwhile, p99 ms", plain(percentile(probesMs, 0.99), 1)],
      ],
    },
    method:
      "One POST with all items, answered when they are committed; the batch is then cancelled. A " +
      "first round is not counted. The delay of foreman's main event loop is taken within the " +
      "process, by a histogram with a look every millisecond, from just before the first byte to " +
      "just after the answer; a look's own millisecond is taken off. Unlike elsewhere foreman is " +
      "not bound to a core, for a batch is the work of three threads: the loop, the reader of " +
      "batches and the database.",
  };
}
