import { setTimeout as delay } from "node:timers/promises";
import { ask, chatBody, connectTo, embedBody } from "../ask.ts";
import type { Peer, PeerName } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, plain, withSpread } from "../statistics.ts";

const peers: readonly PeerName[] = ["direct", "foreman"];
const addedMax = 0.2;

/** What a small embedding model takes; 0 shows the proxy alone. */
const embedMs = [5, 0];
const everyMs = 4;
const connections = 16;
const waitingChats = 16;
const chatOrders = { lines: "50", "every-ms": "10" };

export const embedUnderChat: Row = {
  number: 7,
  what: "embeddings under a running chat: p99",
  yardstick: "embeddings alone",
  bar: `≤ ${addedMax * 100} % added p99`,
  run: (bench) => onScene({ peers }, (scene) => measure(scene, bench)),
};

type Cell = {
  readonly peer: Peer;
  readonly embedMs: number;
  readonly alone: number[];
  readonly aloneP50: number[];
  readonly beside: number[];
  readonly besideP50: number[];
};

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const ms = isQuick ? 1_000 : 2_500;
  const cells = embedMs.flatMap((embed) =>
    scene.peers.map(
      (peer): Cell => ({
        peer,
        embedMs: embed,
        alone: [],
        aloneP50: [],
        beside: [],
        besideP50: [],
      }),
    ),
  );
  for (const cell of cells) await embeddings(cell, 500);
  for (let round = 0; round < (isQuick ? 1 : 4); round += 1) {
    for (const cell of cells) {
      const alone = await embeddings(cell, ms);
      const beside = await besideChats(cell.peer, () => embeddings(cell, ms));
      cell.alone.push(percentile(alone, 0.99));
      cell.aloneP50.push(median(alone));
      cell.beside.push(percentile(beside, 0.99));
      cell.besideP50.push(median(beside));
    }
  }
  return result(cells, scene.missing);
}

/** Sends at a fixed pace for `ms`. Latencies count from the moment that a request was due. */
async function embeddings({ embedMs: delayMs, peer }: Cell, ms: number): Promise<number[]> {
  const clients = Array.from({ length: connections }, () => connectTo(peer.origin));
  const latenciesMs: number[] = [];
  const orders = { "delay-ms": String(delayMs) };
  const beganAtMs = performance.now();
  const count = Math.floor(ms / everyMs);
  const pending: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const dueAtMs = beganAtMs + index * everyMs;
    const earlyMs = dueAtMs - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    const client = clients[index % connections];
    if (client === undefined) break;
    // A timer that fires late is the clock's fault; a connection still busy is the server's.
    const sentAtMs = performance.now();
    const answered = ask(client, { path: "/api/embed", body: embedBody, orders });
    pending.push(answered.then(() => void latenciesMs.push(performance.now() - sentAtMs)));
  }
  await Promise.all(pending);
  await Promise.all(clients.map((client) => client.close()));
  return latenciesMs;
}

/** While one chat runs and others wait behind it; directly at the target one chat runs alone. */
async function besideChats(peer: Peer, act: () => Promise<number[]>): Promise<number[]> {
  let isOver = false;
  const chats = peer.name === "direct" ? 1 : waitingChats;
  const chatOn = async () => {
    const client = connectTo(peer.origin);
    while (!isOver) await ask(client, { path: "/api/chat", body: chatBody, orders: chatOrders });
    await client.close();
  };
  const chatting = Array.from({ length: chats }, chatOn);
  await delay(200);
  const latenciesMs = await act();
  isOver = true;
  await Promise.all(chatting);
  return latenciesMs;
}

function result(cells: readonly Cell[], missing: readonly string[]): RowResult {
  const addedOf = ({ alone, beside }: Cell) => median(beside) / median(alone) - 1;
  const judged = cells.find((cell) => cell.peer.name === "foreman" && cell.embedMs > 0);
  const added = judged === undefined ? Number.NaN : addedOf(judged);
  return {
    measured: `${plain(added * 100, 0)} % added p99`,
    verdict: added <= addedMax ? "met" : "missed",
    missing,
    table: {
      head: ["embedding takes", "peer", "p50 alone / beside", "p99 alone", "p99 beside", "added"],
      rows: cells.map((cell) => [
        `${cell.embedMs} ms`,
        cell.peer.name,
        `${plain(median(cell.aloneP50), 2)} / ${plain(median(cell.besideP50), 2)}`,
        withSpread(cell.alone, 2),
        withSpread(cell.beside, 2),
        `${plain(addedOf(cell) * 100, 0)} %`,
      ]),
    },
    method:
      `An embedding every ${everyMs} ms over ${connections} connections, alone and beside ` +
      "chats of " +
      `${chatOrders.lines} lines, ${chatOrders["every-ms"]} ms apart, of which one runs and ` +
      `${waitingChats - 1} wait; all in ms. Judged with ${embedMs[0]} ms an embedding. With 0 ms ` +
      "there is nothing but the proxy's own work in the figure, and a share of half a " +
      "millisecond says little; direct shows what the chat costs the target and the client alone.",
  };
}
