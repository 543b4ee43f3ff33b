import { setTimeout as delay } from "node:timers/promises";
import { ask, chatBody, connectTo } from "../ask.ts";
import { onBacklog } from "../backlog.ts";
import { nowMs, type Span } from "../generation.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, plain, withSpread } from "../statistics.ts";

const batchItems = 1_000;

/** A batch item takes 400 ms. */
const pace = { lines: 40, everyMs: 10 };

/** What row 2 allows between two generations, on top of the running item's rest. */
const gapMsMax = 5;

/** So long may a batch item that was let through before be on its way to the target. */
const onItsWayMs = 5;

const settings = [
  { name: "never put back", env: { FOREMAN_PREEMPT_WITHIN: "0" } },
  { name: "put back within 20 s", env: {} },
] as const;
type Setting = (typeof settings)[number]["name"];

type Wait = {
  readonly waitMs: number;
  /** What was left of the batch item that ran; null if it was put back. */
  readonly restMs: number | null;
  /** Batch items that were let through although the person waited. */
  readonly between: number;
};

type Played = { readonly waits: readonly Wait[]; readonly longestMs: number };

export const personAmongBatch: Row = {
  number: 6,
  what: `one interactive request against ${batchItems} queued batch items: its wait`,
  yardstick: "the running item's rest",
  bar: "≤ one item, and no further item before it",
  run: measure,
};

async function measure(bench: Bench): Promise<RowResult> {
  const played = new Map<Setting, Played>();
  for (const { env, name } of settings) {
    const one = await onBacklog(batchItems, (file) => {
      const foremanEnv = { ...env, FOREMAN_DB: file };
      return onScene({ peers: ["foreman"], pace, foremanEnv }, (scene) => play(scene, bench));
    });
    played.set(name, one);
  }
  return result(played);
}

async function play(scene: Scene, { isQuick }: Bench): Promise<Played> {
  const client = connectTo(scene.peer("foreman").origin);
  await scene.journal();
  const asked: Asked[] = [];
  for (let i = 0; i < (isQuick ? 5 : 15); i += 1) {
    // Spread over the item evenly, by the golden ratio.
    await delay(450 + ((i * 0.618) % 1) * 400);
    const atMs = nowMs();
    const orders = { label: "person", lines: "2", "every-ms": "1" };
    const { queuedMs } = await ask(client, { path: "/api/chat", body: chatBody, orders });
    asked.push({ atMs, queuedMs: queuedMs ?? Number.NaN });
  }
  await client.close();
  const spans = await scene.journal();
  const people = spans.filter(({ label }) => label === "person");
  const batch = spans.filter(({ label }) => label !== "person");
  const lengths = batch.flatMap(({ endMs, startMs }) => (endMs === null ? [] : [endMs - startMs]));
  return {
    waits: asked.map((one, i) => waitOf(one, people[i]?.startMs ?? Number.NaN, batch)),
    longestMs: Math.max(...lengths),
  };
}

type Asked = { readonly atMs: number; readonly queuedMs: number };

function waitOf({ atMs, queuedMs }: Asked, startMs: number, batch: readonly Span[]): Wait {
  const joinedAtMs = startMs - queuedMs;
  const running = batch.findLast((span) => span.startMs <= joinedAtMs + onItsWayMs);
  const later = batch.filter((span) => span.startMs > joinedAtMs + onItsWayMs);
  return {
    waitMs: startMs - atMs,
    restMs: running?.endMs == null ? null : Math.max(0, running.endMs - atMs),
    between: later.filter((span) => span.startMs < startMs).length,
  };
}

function result(played: ReadonlyMap<Setting, Played>): RowResult {
  const all = [...played.values()];
  const between = all.flatMap(({ waits }) => waits).reduce((sum, one) => sum + one.between, 0);
  const isMet =
    between === 0 &&
    all.every(({ longestMs, waits }) =>
      waits.every(({ waitMs }) => waitMs <= longestMs + gapMsMax),
    );
  const waitsOf = (setting: Setting) =>
    played.get(setting)?.waits.map(({ waitMs }) => waitMs) ?? [];
  const [plainly, putBack] = settings.map(({ name }) => median(waitsOf(name)));
  return {
    measured:
      `${plain(plainly ?? Number.NaN, 0)} ms (median), ${plain(putBack ?? Number.NaN, 0)} ms where ` +
      `items are put back; ${between} items in between`,
    verdict: isMet ? "met" : "missed",
    missing: [],
    table: {
      head: ["batch items are", "wait ms", "running item's rest ms", "an item takes ms", "between"],
      rows: [...played].map(([setting, { longestMs, waits }]) => [
        setting,
        withSpread(waitsOf(setting), 0),
        withSpread(
          waits.flatMap(({ restMs }) => (restMs === null ? [] : [restMs])),
          0,
        ),
        plain(longestMs, 0),
        String(waits.reduce((sum, one) => sum + one.between, 0)),
      ]),
    },
    method:
      "Chats one at a time, at moments spread over the running batch item. The wait is from the " +
      "moment at which the client sends to the start of its generation at the target; the rest is " +
      "what the batch item that runs when it joins the queue still takes, where it is not put " +
      `back. Both are of ${batchItems} items that wait when it begins. Judged is that each wait is at most ` +
      `the longest item and ${gapMsMax} ms, and that no batch item begins in between.`,
  };
}
