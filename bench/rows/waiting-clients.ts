import { setTimeout as delay } from "node:timers/promises";
import { ask, chatBody, connectTo } from "../ask.ts";
import type { Span } from "../generation.ts";
import type { Peer } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, plain } from "../statistics.ts";
import { memoryOf } from "../usage.ts";

const clientsMax = 5_000;
const waitingMbMax = 400;
const idleMbMax = 100;
const foremanEnv = { FOREMAN_QUEUE_MAX: "6000" };

/** Long enough for the heap to be collected after the start. */
const settleMs = 3_000;

export const waitingClients: Row = {
  number: 11,
  what: "5,000 waiting clients: memory",
  yardstick: "–",
  bar: `≤ ${waitingMbMax} MB RSS; idle ≤ ${idleMbMax} MB`,
  run: (bench) => onScene({ peers: ["foreman"], foremanEnv }, (scene) => measure(scene, bench)),
};

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const foreman = scene.peer("foreman");
  await delay(settleMs);
  const idleMb = residentMb(foreman);
  const clients = isQuick ? 2_000 : clientsMax;
  const joining = await joinAll(foreman, clients);
  await delay(1_000);
  const waitingMb = residentMb(foreman);
  await scene.release();
  const statuses = await Promise.all(joining);
  const gaps = gapsOf(await scene.journal());
  const answered = statuses.filter((status) => status === 200).length;
  const { peakBytes } = memoryOf(foreman.pid ?? 0);
  const isMet = idleMb <= idleMbMax && waitingMb <= waitingMbMax && answered === statuses.length;
  return {
    measured: `${plain(waitingMb, 0)} MB with ${plain(clients, 0)}; idle ${plain(idleMb, 0)} MB`,
    verdict: isMet ? "met" : "missed",
    missing: scene.missing,
    table: {
      head: ["state", "RSS MB", "", ""],
      rows: [
        ["idle, after the start", plain(idleMb, 0), "", ""],
        [`${plain(clients, 0)} waiting`, plain(waitingMb, 0), "", ""],
        ["highest, all answered", plain(peakBytes / 1e6, 0), "", ""],
        [
          "gap at the target while they were served",
          "",
          `${plain(median(gaps), 2)} ms p50`,
          `${plain(percentile(gaps, 0.99), 2)} ms p99`,
        ],
      ],
    },
    method:
      `One generation is held at the target while ${plain(clients, 0)} clients join, each on ` +
      "its own " +
      "connection with a chat of 2 KB; then it is let go, and all are served one after the " +
      "other. " +
      `${plain(answered, 0)} of ${plain(statuses.length, 0)} got 200. RSS is the process's from ` +
      "/proc, with the thread that writes the rows; MB are millions of bytes.",
  };
}

/** The held generation and those that wait behind it; resolves when the last has been sent. */
async function joinAll(foreman: Peer, clients: number): Promise<Promise<number>[]> {
  const joining = [chat(foreman, { hold: "1", lines: "2" })];
  await delay(300);
  for (let index = 0; index < clients; index += 1) {
    joining.push(chat(foreman, { lines: "2" }));
    if (index % 50 === 49) await delay(20);
  }
  return joining;
}

async function chat(foreman: Peer, orders: Record<string, string>): Promise<number> {
  const client = connectTo(foreman.origin);
  const { statusCode } = await ask(client, { path: "/api/chat", body: chatBody, orders });
  await client.close();
  return statusCode;
}

function residentMb({ pid }: Peer): number {
  return memoryOf(pid ?? 0).nowBytes / 1e6;
}

function gapsOf(spans: readonly Span[]): number[] {
  return spans.flatMap((span, index) => {
    const endMs = spans[index - 1]?.endMs;
    return endMs == null ? [] : [span.startMs - endMs];
  });
}
