import { ask, chatBody, connectTo } from "../ask.ts";
import type { Span } from "../generation.ts";
import type { PeerName } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, withSpread } from "../statistics.ts";

const peers: readonly PeerName[] = ["direct", "foreman"];
const gapP50MsMax = 1;
const gapP99MsMax = 5;
const orders = { lines: "5", "every-ms": "1" };

type Load = { readonly peer: PeerName; readonly clients: number };
const loads: readonly Load[] = [
  { peer: "direct", clients: 1 },
  { peer: "foreman", clients: 8 },
  { peer: "foreman", clients: 128 },
];

export const generationGap: Row = {
  number: 2,
  what: "gap at the target between the end of one generation and the start of the next",
  yardstick: "0",
  bar: `≤ ${gapP50MsMax} ms p50, ≤ ${gapP99MsMax} ms p99, queue never empty`,
  run: (bench) => onScene({ peers }, (scene) => measure(scene, bench)),
};

type Round = { readonly p50: number; readonly p99: number; readonly overlaps: number };

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const rounds = new Map<Load, Round[]>(loads.map((load) => [load, []]));
  for (let round = 0; round < (isQuick ? 1 : 5); round += 1) {
    for (const load of loads) {
      rounds.get(load)?.push(await playRound(scene, load, isQuick ? 1_500 : 3_000));
    }
  }
  return result(rounds, scene.missing);
}

async function playRound(scene: Scene, { clients, peer }: Load, ms: number): Promise<Round> {
  const { origin } = scene.peer(peer);
  const deadline = performance.now() + ms;
  const chatOn = async () => {
    const client = connectTo(origin);
    while (performance.now() < deadline) {
      await ask(client, { path: "/api/chat", body: chatBody, orders });
    }
    await client.close();
  };
  await scene.journal();
  await Promise.all(Array.from({ length: clients }, chatOn));
  return gapsOf(await scene.journal(), clients);
}

/** The first generations and the last ones, when the queue fills and empties, do not count. */
function gapsOf(spans: readonly Span[], clients: number): Round {
  const steady = spans.slice(clients, Math.max(clients + 2, spans.length - clients));
  const gaps: number[] = [];
  for (const [index, span] of steady.entries()) {
    const before = steady[index - 1];
    if (before?.endMs != null) gaps.push(span.startMs - before.endMs);
  }
  const overlaps = gaps.filter((gap) => gap < 0).length;
  return { p50: median(gaps), p99: percentile(gaps, 0.99), overlaps };
}

function result(rounds: ReadonlyMap<Load, readonly Round[]>, missing: readonly string[]) {
  const foreman = [...rounds].filter(([load]) => load.peer === "foreman").flatMap(([, all]) => all);
  const worst = (pick: (round: Round) => number) =>
    Math.max(
      ...[...rounds]
        .filter(([load]) => load.peer === "foreman")
        .map(([, all]) => median(all.map(pick))),
    );
  const overlaps = foreman.reduce((sum, round) => sum + round.overlaps, 0);
  const p50 = worst((round) => round.p50);
  const p99 = worst((round) => round.p99);
  const isMet = p50 <= gapP50MsMax && p99 <= gapP99MsMax && overlaps === 0;
  return {
    measured: `${p50.toFixed(2)} ms p50, ${p99.toFixed(2)} ms p99, ${overlaps} overlaps`,
    verdict: isMet ? "met" : "missed",
    missing,
    table: {
      head: ["peer", "clients", "gap p50 ms", "gap p99 ms", "overlaps"],
      rows: [...rounds].map(([{ clients, peer }, all]) => [
        peer,
        String(clients),
        withSpread(
          all.map((round) => round.p50),
          2,
        ),
        withSpread(
          all.map((round) => round.p99),
          2,
        ),
        String(all.reduce((sum, round) => sum + round.overlaps, 0)),
      ]),
    },
    method:
      "Clients that each ask again as soon as they are answered keep the queue filled; a " +
      "generation " +
      "takes some 5 ms. Start (request wholly read) and end (just before the last write) are " +
      "taken by " +
      "the target's own clock, in the target. The floor is one client without anything " +
      "between: its " +
      "gap is the way of the last chunk to the client and of the next request back. Row 11 " +
      "takes the " +
      "same measure with 5,000 waiting; a million need batches, which do not exist yet.",
  } satisfies RowResult;
}
