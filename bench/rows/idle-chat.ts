import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import type { Client } from "undici";
import { type Answer, ask, chatBody, connectTo } from "../ask.ts";
import type { PeerName } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, percentile, plain, withSpread } from "../statistics.ts";

const peers: readonly PeerName[] = ["direct", "haproxy", "nginx", "bare proxy", "foreman"];
const addedP50MsMax = 2;
const addedP99MsMax = 10;

/** After each request. With all peers taking turns, each is idle for five times as long. */
const restMs = 10;

/** Back to back, so that the code is compiled as in a daemon that has run for a while. */
const warmups = 1_000;

/** Percentiles are taken of so many at a time: one burst of noise spoils one block. */
const blockSize = 100;

type Sample = { readonly name: PeerName; readonly values: number[]; readonly client: Client };

export const idleChat: Row = {
  number: 1,
  what: "idle `/api/chat`: added time to first byte, durable row included",
  yardstick: "haproxy",
  bar: `≤ ${addedP50MsMax} ms p50, ≤ ${addedP99MsMax} ms p99 added over direct`,
  run: (bench) => onScene({ peers }, (scene) => measure(scene, bench)),
};

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const samples = scene.peers.map(
    ({ name, origin }): Sample => ({ name, values: [], client: connectTo(origin) }),
  );
  const rounds = isQuick ? 100 : 600;
  for (const { client } of samples) {
    for (let round = 0; round < warmups; round += 1) await chat(client);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { client, values } of samples) {
      const { headMs } = await chat(client);
      values.push(headMs);
      await delay(restMs);
    }
  }
  const recorded = await recordedJobs(scene);
  await Promise.all(samples.map(({ client }) => client.close()));
  return result(samples, { rounds, asked: rounds + warmups, recorded, missing: scene.missing });
}

function chat(client: Client): Promise<Answer> {
  return ask(client, { path: "/api/chat", body: chatBody });
}

/** How many ended jobs stand in foreman's database. */
async function recordedJobs(scene: Scene): Promise<number> {
  await delay(200);
  const foremanFolder = String(peers.indexOf("foreman"));
  const file = join(scene.folder, foremanFolder, "foreman.db");
  const database = new Database(file, { readonly: true });
  const row = database.prepare("SELECT count(*) AS jobs FROM job WHERE state = 'done'").get();
  database.close();
  return (row as { jobs: number }).jobs;
}

function perBlock(values: readonly number[], share: number): number[] {
  const blocks = Array.from({ length: Math.ceil(values.length / blockSize) }, (_, index) =>
    values.slice(index * blockSize, (index + 1) * blockSize),
  );
  return blocks.map((block) => percentile(block, share));
}

type Facts = {
  readonly rounds: number;
  readonly asked: number;
  readonly recorded: number;
  readonly missing: readonly string[];
};

function result(samples: readonly Sample[], facts: Facts): RowResult {
  const direct = samples.find(({ name }) => name === "direct")?.values ?? [];
  const added = (values: readonly number[], share: number) =>
    median(perBlock(values, share)) - median(perBlock(direct, share));
  const foreman = samples.find(({ name }) => name === "foreman")?.values ?? [];
  const isMet =
    added(foreman, 0.5) <= addedP50MsMax &&
    added(foreman, 0.99) <= addedP99MsMax &&
    facts.recorded === facts.asked;
  return {
    measured: `${plain(added(foreman, 0.5), 2)} ms p50, ${plain(added(foreman, 0.99), 2)} ms p99`,
    verdict: isMet ? "met" : "missed",
    missing: facts.missing,
    plots: [
      {
        name: "idle-chat",
        title: "An idle chat: added to its first byte",
        unit: "ms, median",
        bars: samples
          .filter(({ name }) => name !== "direct")
          .map(({ name, values }) => ({ name, value: added(values, 0.5) })),
        limit: addedP50MsMax,
        decimals: 2,
      },
    ],
    table: {
      head: ["peer", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms"],
      rows: samples.map(({ name, values }) => [
        name,
        withSpread(perBlock(values, 0.5), 2),
        withSpread(perBlock(values, 0.99), 2),
        plain(added(values, 0.5), 2),
        plain(added(values, 0.99), 2),
      ]),
    },
    method:
      `${facts.rounds} chats of 2 KB for each peer, one at a time, the peers taking turns ` +
      "request by " +
      `request with ${restMs} ms of rest after each, so that all of them meet the same noise ` +
      "and each " +
      `is idle in between, its caches cold. Percentiles are of ${blockSize} chats each. ` +
      `Of foreman's ${facts.asked} chats (with the warm-up) ${facts.recorded} stand as done in ` +
      "its database. The row of a chat is written behind, while the target works: its client's " +
      "open socket is what keeps the job alive, so the first byte does not wait for the disk.",
  };
}
