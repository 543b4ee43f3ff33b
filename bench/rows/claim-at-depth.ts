import { setTimeout as delay } from "node:timers/promises";
import type { Ending, JobId } from "../../src/job.ts";
import type { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Lane, Page } from "../../src/store/store.ts";
import { loadKeyOf } from "../../src/target/load-key.ts";
import { backlogClients, deepJobs, onBacklog, openStore } from "../backlog.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { median, percentile, plain, withSpread } from "../statistics.ts";

const ratioMax = 2;
const shallowJobs = 1_000;

/** Of the shallow queue half is left. */
const claims = 500;

/** As src/queue/cancels.ts asks for it. */
const sliceJobs = 250;
const cancelledJobs = 50_000;

const ending: Ending = {
  state: "cancelled",
  reason: "cancelled_by_user",
  message: "it was cancelled before its turn came",
  statusCode: null,
  promptTokens: null,
  completionTokens: null,
};

/** What is asked for of a list; each is one line of the table. */
const pages: readonly (readonly [what: string, page: Page])[] = [
  ["the newest 100", { limit: 100 }],
  ["100 that wait", { state: "queued", limit: 100 }],
  ["100 of a client", { client: "client-7", limit: 100 }],
  ["100 that wait of a client", { state: "queued", client: "client-7", limit: 100 }],
  ["nobody's", { client: "nobody", limit: 100 }],
];

type Depth = "few" | "many";
type Times = Readonly<Record<Depth, number[]>>;

export const claimAtDepth: Row = {
  number: 9,
  what: "claim at 1,000,000 queued; listing, far places and a cancel of 50,000 as well",
  yardstick: `claim at ${plain(shallowJobs, 0)} queued`,
  bar: `≤ ${ratioMax} ×`,
  run: (bench) =>
    onBacklog(shallowJobs, (few) =>
      onBacklog(deepJobs(bench), (many) => measure(few, many, bench)),
    ),
};

async function measure(fewFile: string, manyFile: string, bench: Bench): Promise<RowResult> {
  const stores = { few: await openStore(fewFile), many: await openStore(manyFile) };
  try {
    const claimed = await claimEach(stores);
    const read = await readEach(stores);
    const cancel = await cancelMany(stores.many);
    return result({ claimed, read, cancel, queued: deepJobs(bench) });
  } finally {
    await Promise.all(Object.values(stores).map((store) => store.close()));
  }
}

type Stores = Readonly<Record<Depth, SqliteStore>>;

/** In turns, so that both meet the same disk. */
async function claimEach(stores: Stores): Promise<Times> {
  const times: Times = { few: [], many: [] };
  const heads = { few: await headsOf(stores.few), many: await headsOf(stores.many) };
  for (let i = 0; i < claims; i += 1) {
    for (const depth of ["few", "many"] as const) {
      const id = heads[depth][i];
      if (id === undefined) throw new Error(`no ${i}th job to claim`);
      const tookMs = await timed(async () => {
        const claim = await stores[depth].claim(id, 1, Date.now());
        if (claim !== "claimed") throw new Error(`${id} was not there to be claimed`);
      });
      times[depth].push(tookMs);
    }
  }
  return times;
}

/** The first jobs of each lane, as the dispatcher would take them: lane by lane in turn. */
async function headsOf(store: SqliteStore): Promise<readonly JobId[]> {
  const perLane = Math.ceil(claims / backlogClients);
  const lanes = await Promise.all(
    Array.from({ length: backlogClients }, (_, i) => store.waitingIn(laneOf(i), 0, perLane)),
  );
  return Array.from({ length: perLane }, (_, n) =>
    lanes.flatMap((jobs) => jobs[n]?.id ?? []),
  ).flat();
}

function laneOf(client: number): Lane {
  return { class: "batch", loadKey: loadKeyOf("bench-chat", ""), client: `client-${client}` };
}

async function readEach(stores: Stores): Promise<ReadonlyMap<string, Times>> {
  const times = new Map<string, Times>();
  for (const [what, page] of pages) {
    times.set(what, await eachTimed(stores, (store) => store.page(page)));
  }
  const last = { ...laneOf(7), arrival: Number.MAX_SAFE_INTEGER };
  const place = await eachTimed(stores, (store) => store.position(last));
  return times.set("the place of a lane's last job", place);
}

async function eachTimed(stores: Stores, act: (store: SqliteStore) => Promise<unknown>) {
  const times: Times = { few: [], many: [] };
  for (let round = 0; round < 20; round += 1) {
    for (const depth of ["few", "many"] as const) {
      times[depth].push(await timed(() => act(stores[depth])));
    }
  }
  return times;
}

type Cancel = {
  readonly tookMs: number;
  readonly cancelled: number;
  /** What other commits took before, and meanwhile. */
  readonly beforeMs: readonly number[];
  readonly meanwhileMs: readonly number[];
};

async function cancelMany(store: SqliteStore): Promise<Cancel> {
  const beforeMs = await commitsUntil(store, delay(1_500));
  let cancelled = 0;
  const cancel = async () => {
    const upTo = await store.newestArrival();
    for (let after: number | null = 0; after !== null && cancelled < cancelledJobs; ) {
      const slice = { after, upTo, limit: sliceJobs };
      const { jobs, next } = await store.cancelWaiting(slice, ending, Date.now());
      cancelled += jobs.length;
      after = next;
    }
  };
  let tookMs = Number.NaN;
  const cancelling = timed(cancel).then((ms) => {
    tookMs = ms;
  });
  const meanwhileMs = await commitsUntil(store, cancelling);
  return { tookMs, cancelled, beforeMs, meanwhileMs };
}

/** Commits with 2 ms in between, until the end of something else. */
async function commitsUntil(store: SqliteStore, end: Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  let isOver = false;
  void end.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    took.push((await store.heartbeat()).commitMs);
    await delay(2);
  }
  await end;
  return took;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await act();
  return performance.now() - startedAtMs;
}

type Facts = {
  readonly claimed: Times;
  readonly read: ReadonlyMap<string, Times>;
  readonly cancel: Cancel;
  readonly queued: number;
};

function result({ cancel, claimed, queued, read }: Facts): RowResult {
  const ratio = median(claimed.many) / median(claimed.few);
  const line = (what: string, times: Times) => [
    what,
    timesOf(times.few),
    timesOf(times.many),
    plain(median(times.many) / median(times.few), 2),
  ];
  const commits = (values: readonly number[]) =>
    `${plain(median(values), 2)}, p99 ${plain(percentile(values, 0.99), 1)}, ` +
    `most ${plain(Math.max(...values), 0)}`;
  return {
    measured: `${plain(ratio, 2)} × at ${plain(queued, 0)} queued`,
    verdict: ratio <= ratioMax ? "met" : "missed",
    missing: [],
    table: {
      head: ["", `ms at ${plain(shallowJobs, 0)}`, `ms at ${plain(queued, 0)}`, "×"],
      rows: [
        line("a claim, with its commit", claimed),
        ...[...read].map(([what, times]) => line(what, times)),
        [`a cancel of ${plain(cancel.cancelled, 0)}`, "", plain(cancel.tookMs, 0), ""],
        ["another commit before that", "", commits(cancel.beforeMs), ""],
        ["another commit meanwhile", "", commits(cancel.meanwhileMs), ""],
      ],
    },
    method:
      "The store's own verbs in the benchmark's process, over databases of batch jobs of " +
      `${backlogClients} clients. ${claims} claims of each, in turns, one at a time, each a commit ` +
      "of its own: both pay for the same disk. Lists and places are read 20 times, in turns; at " +
      `${plain(shallowJobs, 0)} a client has ${shallowJobs / backlogClients} jobs to be listed. The ` +
      `cancel takes ${sliceJobs} jobs in a transaction, as \`POST /jobs/cancel\` does; meanwhile ` +
      "another caller commits every 2 ms. Times are medians.",
  };
}

function timesOf(values: readonly number[]): string {
  return withSpread(values, 2);
}
