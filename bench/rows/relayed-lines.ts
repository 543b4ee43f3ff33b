import { ask, chatBody, connectTo } from "../ask.ts";
import type { Peer, PeerName } from "../peer.ts";
import { profiled } from "../profile.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, plain, withSpread } from "../statistics.ts";
import { cpuSeconds } from "../usage.ts";

const peers: readonly PeerName[] = ["bare proxy", "foreman", "nginx", "haproxy"];
const ofBareMin = 0.8;
const streams = 50;
const everyMs = 5;
const foremanEnv = { FOREMAN_CHAT_SLOTS: String(streams) };

export const relayedLines: Row = {
  number: 4,
  what: `relayed NDJSON lines per CPU second, ${streams} streams`,
  yardstick: "bare node proxy",
  bar: `≥ ${ofBareMin} × bare node`,
  async run(bench) {
    const row = await onScene({ peers, foremanEnv }, (scene) => measure(scene, bench));
    const profile = await profiled(foremanEnv, async (foreman) => {
      await stream(foreman, bench.isQuick ? 500 : 1_200);
    });
    return { ...row, profile };
  },
};

type Round = { readonly perCpuSecond: number; readonly wallS: number };

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const lines = isQuick ? 500 : 800;
  for (const peer of scene.peers) await stream(peer, 100);
  const rounds = new Map<PeerName, Round[]>(scene.peers.map(({ name }) => [name, []]));
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    for (const peer of scene.peers) rounds.get(peer.name)?.push(await stream(peer, lines));
  }
  const rates = (name: PeerName) => rounds.get(name)?.map((round) => round.perCpuSecond) ?? [];
  const bare = rates("bare proxy");
  const ratios = rates("foreman").map((rate, round) => rate / (bare[round] ?? Number.NaN));
  return {
    measured: `${withSpread(ratios, 2)} × bare`,
    verdict: median(ratios) >= ofBareMin ? "met" : "missed",
    missing: scene.missing,
    plots: [
      {
        name: "relayed-lines",
        title: "Relayed lines for a second of CPU time",
        unit: "median",
        bars: [...rounds.keys()].map((name) => ({ name, value: median(rates(name)) })),
        limit: null,
        decimals: 0,
      },
    ],
    table: {
      head: ["peer", "lines per CPU second", "CPU µs a line", "wall s"],
      rows: [...rounds].map(([name, all]) => [
        name,
        withSpread(rates(name), 0),
        plain(1e6 / median(rates(name)), 1),
        withSpread(
          all.map((round) => round.wallS),
          1,
        ),
      ]),
    },
    method:
      `${streams} chats at once, each of ${lines} lines of 120 bytes, one every ${everyMs} ms ` +
      "and " +
      "each in a chunk of its own, as a model sends them: no proxy is anywhere near its limit. " +
      "CPU " +
      "time is user and system time of the proxy's process with all its threads, from /proc. " +
      `Foreman runs with FOREMAN_CHAT_SLOTS=${streams}; its rows and its log are in the figure.`,
  };
}

/** All streams once, each to its end. */
async function stream({ origin, pid }: Peer, lines: number): Promise<Round> {
  const clients = Array.from({ length: streams }, () => connectTo(origin));
  const orders = { lines: String(lines), "every-ms": String(everyMs) };
  const beganAtMs = performance.now();
  const before = cpuSeconds(pid ?? 0);
  const answers = await Promise.all(
    clients.map((client) => ask(client, { path: "/api/chat", body: chatBody, orders })),
  );
  const spentS = cpuSeconds(pid ?? 0) - before;
  const wallS = (performance.now() - beganAtMs) / 1e3;
  await Promise.all(clients.map((client) => client.close()));
  const got = answers.reduce((sum, answer) => sum + answer.lines, 0);
  if (got !== streams * lines) throw new Error(`${got} lines came of ${streams * lines}`);
  return { perCpuSecond: got / spentS, wallS };
}
