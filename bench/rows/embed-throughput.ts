import { embedBody } from "../ask.ts";
import { closedLoop, loadedBy } from "../closed-loop.ts";
import type { Peer, PeerName } from "../peer.ts";
import { profiled } from "../profile.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, plain, withSpread } from "../statistics.ts";
import { cpuSeconds } from "../usage.ts";

const peers: readonly PeerName[] = [
  "direct",
  "nginx",
  "nginx, 2 workers, 2 cores",
  "haproxy",
  "bare proxy",
  "foreman",
];
const ofBareMin = 0.9;
const ofNginxMin = 0.4;
const widths = [1, 32, 256];

/** What a small embedding model takes at least; judged is 0, where the target costs nothing. */
const delaysMs = [0, 5];

/** One peer under so many connections; a value a round. CPU time is the proxy's, per request. */
type Cell = {
  readonly peer: Peer;
  readonly connections: number;
  readonly delayMs: number;
  readonly perSecond: number[];
  readonly p99Ms: number[];
  readonly cpuUs: number[];
  errors: number;
};

export const embedThroughput: Row = {
  number: 3,
  what: "`/api/embed`, 1 / 32 / 256 connections, 16 KB answers: requests a second",
  yardstick: "bare node proxy; nginx",
  bar: `≥ ${ofBareMin} × bare node; ≥ ${ofNginxMin} × nginx`,
  async run(bench) {
    const row = await onScene({ peers }, (scene) => measure(scene, bench));
    const profile = await profiled({}, async ({ origin }) => {
      const seconds = bench.isQuick ? 2 : 4;
      const { errors } = await closedLoop({ origin, ...embed, connections: 32, seconds });
      if (errors > 0) throw new Error(`${errors} errors under the profiler`);
    });
    return { ...row, profile };
  },
};

const embed = { path: "/api/embed", body: embedBody, delayMs: 0 };

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const seconds = 1;
  const cells = delaysMs.flatMap((delayMs) =>
    widths
      .filter((connections) => delayMs === 0 || connections === 32)
      .flatMap((connections) => scene.peers.map((peer) => cellOf(peer, connections, delayMs))),
  );
  for (const { origin } of scene.peers) {
    await closedLoop({ origin, ...embed, connections: 32, seconds: 1 });
  }
  for (let round = 0; round < (isQuick ? 1 : 4); round += 1) {
    for (const cell of cells) await fill(cell, seconds);
  }
  return result(cells, scene.missing);
}

function cellOf(peer: Peer, connections: number, delayMs: number): Cell {
  return { peer, connections, delayMs, perSecond: [], p99Ms: [], cpuUs: [], errors: 0 };
}

async function fill(cell: Cell, seconds: number): Promise<void> {
  const { connections, delayMs, peer } = cell;
  const before = peer.pid === null ? 0 : cpuSeconds(peer.pid);
  const load = await closedLoop({ ...embed, origin: peer.origin, connections, seconds, delayMs });
  const spent = peer.pid === null ? Number.NaN : cpuSeconds(peer.pid) - before;
  cell.perSecond.push(load.perSecond);
  cell.p99Ms.push(load.p99Ms);
  cell.cpuUs.push((spent / load.requests) * 1e6);
  cell.errors += load.errors;
}

function result(cells: readonly Cell[], missing: readonly string[]): RowResult {
  const rate = (name: PeerName, connections: number) => {
    const cell = cells.find(
      (one) => one.peer.name === name && one.connections === connections && one.delayMs === 0,
    );
    return cell === undefined ? Number.NaN : median(cell.perSecond);
  };
  const ratios = (name: PeerName, yardstick: PeerName) =>
    widths.map((width) => rate(name, width) / rate(yardstick, width));
  const ofBare = ratios("foreman", "bare proxy");
  const ofNginx = ratios("foreman", "nginx");
  // Without nginx there is nothing to hold against it.
  const isMet =
    ofBare.every((ratio) => ratio >= ofBareMin) && !ofNginx.some((ratio) => ratio < ofNginxMin);
  const told = (all: readonly number[]) => all.map((ratio) => plain(ratio, 2)).join(" / ");
  return {
    measured: `${told(ofBare)} × bare; ${told(ofNginx)} × nginx`,
    verdict: isMet ? "met" : "missed",
    missing,
    table: {
      head: [
        "embedding takes",
        "connections",
        "peer",
        "requests/s",
        "p99 ms",
        "proxy CPU µs/request",
        "errors",
      ],
      rows: cells.map(({ connections, cpuUs, delayMs, errors, p99Ms, peer, perSecond }) => [
        `${delayMs} ms`,
        String(connections),
        peer.name,
        withSpread(perSecond, 0),
        withSpread(p99Ms, 1),
        // The CPU time of nginx with two workers is not one process's.
        peer.name.includes("workers") ? "–" : plain(median(cpuUs), 0),
        String(errors),
      ]),
    },
    method:
      `Load by ${loadedBy}, back to back on each connection. The target here is the fast one, ` +
      "of raw " +
      "sockets, that answers from memory; it shares its core with the load, and the proxy has " +
      "the " +
      "other core, so `direct` is the ceiling of this arrangement. Judged is the target that " +
      "takes no " +
      "time: there a proxy's own work is all that counts, and the bare proxy itself reaches " +
      `${told(ratios("bare proxy", "nginx"))} × nginx. ` +
      `With ${delaysMs.at(-1)} ms an embedding the figures show what is left of that in use. ` +
      "Foreman lets 64 embeddings to the target at once and holds the others in memory.",
  };
}
