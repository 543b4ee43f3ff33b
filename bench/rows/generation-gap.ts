import { setTimeout as delay } from "node:timers/promises";
import { ask, chatBody, connectTo } from "../ask.ts";
import { deepJobs, onBacklog, openStore } from "../backlog.ts";
import type { Span } from "../generation.ts";
import type { PeerName } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, plain, withSpread } from "../statistics.ts";

const gapP50MsMax = 1;
const gapP99MsMax = 5;

/** Of every generation, a client's and a batch job's. */
const pace = { lines: 5, everyMs: 1 };

/** Too many to be used up, and few enough to be no backlog. */
const fewJobs = 10_000;

/** The first generations and the last ones, when the load comes and goes, do not count. */
const edgeMin = 10;

type Load = { readonly peer: PeerName; readonly clients: number; readonly backlog: number };

function loadsOf(backlog: number): readonly Load[] {
  if (backlog === 0) {
    return [
      { peer: "direct", clients: 1, backlog },
      { peer: "foreman", clients: 8, backlog },
      { peer: "foreman", clients: 128, backlog },
    ];
  }
  return [
    { peer: "foreman", clients: 0, backlog },
    { peer: "foreman", clients: 8, backlog },
  ];
}

export const generationGap: Row = {
  number: 2,
  what: "gap at the target between the end of one generation and the start of the next",
  yardstick: "0; the same with few queued",
  bar: `≤ ${gapP50MsMax} ms p50, ≤ ${gapP99MsMax} ms p99, queue never empty, at 1,000,000 too`,
  run: measure,
};

type Round = { readonly p50: number; readonly p99: number; readonly overlaps: number };

type Measured = {
  readonly rounds: ReadonlyMap<Load, readonly Round[]>;
  readonly commitsMs: readonly number[];
};

async function measure(bench: Bench): Promise<RowResult> {
  const rounds = new Map<Load, readonly Round[]>();
  const missing = new Set<string>();
  const commitsMs: number[] = [];
  for (const backlog of [0, fewJobs, deepJobs(bench)]) {
    await onBacklog(backlog, async (file) => {
      const peers: PeerName[] = backlog === 0 ? ["direct", "foreman"] : ["foreman"];
      await onScene({ peers, pace, foremanEnv: { FOREMAN_DB: file } }, async (scene) => {
        const played = await playAll(loadsOf(backlog), scene, bench.isQuick);
        for (const [load, all] of played) rounds.set(load, all);
        for (const one of scene.missing) missing.add(one);
      });
    });
    commitsMs.push(...(await commits()));
  }
  return result({ rounds, commitsMs }, [...missing]);
}

/** The loads take turns. */
async function playAll(own: readonly Load[], scene: Scene, isQuick: boolean) {
  const rounds = new Map<Load, Round[]>(own.map((load) => [load, []]));
  for (let round = 0; round < (isQuick ? 1 : 4); round += 1) {
    for (const load of own) {
      rounds.get(load)?.push(await playRound(scene, load, isQuick ? 1_500 : 3_000));
    }
  }
  return rounds;
}

async function playRound(scene: Scene, { clients, peer }: Load, ms: number): Promise<Round> {
  const { origin } = scene.peer(peer);
  const deadline = performance.now() + ms;
  const chatOn = async () => {
    const client = connectTo(origin);
    while (performance.now() < deadline) {
      await ask(client, { path: "/api/chat", body: chatBody });
    }
    await client.close();
  };
  await scene.journal();
  await Promise.all([delay(ms), ...Array.from({ length: clients }, chatOn)]);
  return gapsOf(await scene.journal(), Math.max(clients, edgeMin));
}

function gapsOf(spans: readonly Span[], edge: number): Round {
  const steady = spans.slice(edge, Math.max(edge + 2, spans.length - edge));
  const gaps: number[] = [];
  for (const [index, span] of steady.entries()) {
    const before = steady[index - 1];
    if (before?.endMs != null) gaps.push(span.startMs - before.endMs);
  }
  const overlaps = gaps.filter((gap) => gap < 0).length;
  return { p50: median(gaps), p99: percentile(gaps, 0.99), overlaps };
}

/** What a commit takes on this disk by itself. */
async function commits(): Promise<number[]> {
  return await onBacklog(0, async (file) => {
    const store = await openStore(file);
    const took: number[] = [];
    for (let i = 0; i < 300; i += 1) took.push((await store.heartbeat()).commitMs);
    await store.close();
    return took;
  });
}

function result({ commitsMs, rounds }: Measured, missing: readonly string[]): RowResult {
  const foreman = [...rounds].filter(([load]) => load.peer === "foreman");
  const worst = (pick: (round: Round) => number) =>
    Math.max(...foreman.map(([, all]) => median(all.map(pick))));
  const overlaps = foreman.flatMap(([, all]) => all).reduce((sum, one) => sum + one.overlaps, 0);
  const p50 = worst((round) => round.p50);
  const p99 = worst((round) => round.p99);
  const isMet = p50 <= gapP50MsMax && p99 <= gapP99MsMax && overlaps === 0;
  return {
    measured: `${plain(p50, 2)} ms p50, ${plain(p99, 2)} ms p99, ${overlaps} overlaps`,
    verdict: isMet ? "met" : "missed",
    missing,
    plots: [
      {
        name: "generation-gap",
        title: "Between two generations the target rests for",
        unit: "ms, median",
        bars: [...rounds].map(([load, all]) => ({
          name: nameOf(load),
          value: median(all.map((round) => round.p50)),
        })),
        limit: gapP50MsMax,
        decimals: 2,
      },
    ],
    table: {
      head: ["peer", "clients", "batch jobs queued", "gap p50 ms", "gap p99 ms", "overlaps"],
      rows: [
        ...[...rounds].map(([load, all]) => rowOf(load, all)),
        ["a commit alone", "", "", withSpread([median(commitsMs)], 2), percentileOf(commitsMs), ""],
      ],
    },
    method:
      "Clients that each ask again as soon as they are answered keep the queue filled; without " +
      "clients the batch jobs do. A generation takes some 5 ms. Start (request wholly read) and " +
      "end (just before the last write) are taken by the target's own clock, in the target. The " +
      "floor is one client without anything between: its gap is the way of the last chunk to the " +
      "client and of the next request back. A batch job is sent when its claim is written, so " +
      "that no death of the process forgets a start, and the claim's sync follows: a commit with " +
      "its sync is the last line, asked for from a process on the other core. Clients go before " +
      "batch jobs, but for every 20th start. Judged is the worst of foreman's lines.",
  };
}

function nameOf({ backlog, clients, peer }: Load): string {
  const waiting = [
    ...(clients > 0 ? [`${clients} clients`] : []),
    ...(backlog > 0 ? [`${plain(backlog, 0)} jobs`] : []),
  ];
  return `${peer}, ${waiting.join(", ")}`;
}

function rowOf({ backlog, clients, peer }: Load, all: readonly Round[]): readonly string[] {
  return [
    peer,
    String(clients),
    plain(backlog, 0),
    withSpread(
      all.map((round) => round.p50),
      2,
    ),
    withSpread(
      all.map((round) => round.p99),
      2,
    ),
    String(all.reduce((sum, round) => sum + round.overlaps, 0)),
  ];
}

function percentileOf(values: readonly number[]): string {
  return plain(percentile(values, 0.99), 2);
}
