// Holds a world with a steady target against the bounds of src/scheduler/design.md, as who waits and
// who runs shows them from outside.
import type { Plan, Work } from "./plan.ts";
import { models, type Start } from "./sim-target.ts";

/** What the daemon promises by its settings and by the scheduler's own bounds. */
export type Promises = {
  readonly patienceMs: { readonly interactive: number; readonly batch: number };
  readonly batchFloor: { readonly starts: number; readonly ms: number };
  readonly swapQuantumMs: number;
};

export const promises: Promises = {
  patienceMs: { interactive: 5_000, batch: 300_000 },
  batchFloor: { starts: 20, ms: 60_000 },
  swapQuantumMs: 10_000,
};

type BoundsDeps = {
  readonly plan: Plan;
  readonly works: ReadonlyMap<string, Work>;
  readonly starts: readonly Start[];
  /** When each came to wait, by its name. */
  readonly joins: ReadonlyMap<string, { readonly atMs: number }>;
  readonly promises: Promises;
};

/** A job from its coming to its first start, how long it ran then, and how long without a load. */
type Wait = {
  readonly name: string;
  readonly class: "interactive" | "batch";
  readonly runner: string;
  readonly lane: string;
  readonly client: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly runMs: number;
  readonly generationMs: number;
  readonly loadMs: number;
};

/** Commits, polls and the target's own way take so long beside the runs. */
const slackMs = 500;

/** Whether nothing goes wrong in it, and nobody is cut off or leaves: the bounds are for such. */
export function isSteady({ batches, deaths, requests, spells }: Plan): boolean {
  const isCalm = batches.length === 0 && deaths.length === 0 && spells.length === 0;
  const isUnhurt = ({ cancelAfterMs, fates, leaveAfterMs }: Plan["requests"][number]) =>
    cancelAfterMs === null && leaveAfterMs === null && fates.every((fate) => fate === "whole");
  return isCalm && requests.every(isUnhurt);
}

/** What is broken of bounds 1 to 4. */
export function judgeBounds(deps: BoundsDeps): readonly string[] {
  const waits = waitsOf(deps);
  if (waits.length === 0) return [];
  const ofClass = Map.groupBy(waits, (wait) => wait.class);
  const people = ofClass.get("interactive") ?? [];
  return [
    ...judgeFloor(deps, waits),
    ...judgeTurns(deps, waits, people),
    ...[people, ofClass.get("batch") ?? []].flatMap((own) => [
      ...judgeShares(deps, own),
      ...judgeWaits(deps, waits, own),
    ]),
  ];
}

function waitsOf({ joins, plan, starts, works }: BoundsDeps): readonly Wait[] {
  const firsts = new Map<string, Start>();
  for (const start of starts) if (!firsts.has(start.name)) firsts.set(start.name, start);
  return [...firsts.values()].flatMap((start): readonly Wait[] => {
    const { atMs: toMs, endedAtMs, name } = start;
    const work = works.get(name);
    const request = plan.requests[Number(name.slice(1))];
    const join = joins.get(name);
    const model = models[work?.model ?? 0];
    if (!work || !request || !join || !model) return [];
    const jobClass = work.isBatch ? "batch" : "interactive";
    const { client } = request;
    const lane = [jobClass, client, model.name].join();
    const runMs = (endedAtMs ?? toMs) - toMs;
    const own = { name, class: jobClass, client, lane, runner: model.weights } as const;
    const times = { generationMs: work.tokens * work.tokenMs, loadMs: model.loadMs, runMs };
    return [{ ...own, ...times, fromMs: join.atMs, toMs }];
  });
}

/** R, S, r and T of design.md. */
function extremesOf({ promises: { swapQuantumMs } }: BoundsDeps, waits: readonly Wait[]) {
  const runs = waits.map(({ generationMs }) => generationMs);
  const [runMs, leastMs] = [Math.max(...runs), Math.min(...runs)];
  const loadMs = Math.max(...waits.map((wait) => wait.loadMs));
  const turnMs = Math.max(swapQuantumMs, 10 * loadMs) + loadMs + runMs;
  return { runMs, leastMs, loadMs, turnMs };
}

function floorMsOf(deps: BoundsDeps, waits: readonly Wait[]): number {
  const { loadMs, runMs } = extremesOf(deps, waits);
  return Math.max(deps.promises.batchFloor.ms, runMs + loadMs) + runMs + loadMs;
}

/** 1: while batch work waits, one of it starts in time, and after few enough people. */
function judgeFloor(deps: BoundsDeps, waits: readonly Wait[]): readonly string[] {
  const found: string[] = [];
  const { batchFloor } = deps.promises;
  const boundMs = floorMsOf(deps, waits);
  const batch = waits.filter((wait) => wait.class === "batch").sort((a, b) => a.toMs - b.toMs);
  // One that made way for a person starts more than once.
  const batchStarts = deps.starts.filter(({ name }) => deps.works.get(name)?.isBatch);
  for (const [at, { name, toMs }] of batch.entries()) {
    const beforeMs = batchStarts.findLast(({ atMs }) => atMs < toMs)?.atMs ?? 0;
    const waiting = batch.slice(at).map(({ fromMs }) => fromMs);
    const sinceMs = Math.max(beforeMs, Math.min(...waiting));
    const between = deps.starts.filter(
      (start) => start.atMs > sinceMs && start.atMs < toMs && !deps.works.get(start.name)?.isBatch,
    );
    const isInTime = toMs - sinceMs <= boundMs + slackMs;
    const isNext = between.length <= batchFloor.starts + deps.plan.slots;
    if (isInTime && isNext) continue;
    const what = `${toMs - sinceMs} ms and ${between.length} starts of people`;
    found.push(`bound 1 ${name}: batch work waited for ${what}`);
  }
  return found;
}

/** 2: each runner that people wait for has its turn in time. */
function judgeTurns(
  deps: BoundsDeps,
  waits: readonly Wait[],
  people: readonly Wait[],
): readonly string[] {
  const { loadMs, runMs, turnMs } = extremesOf(deps, waits);
  const runners = Map.groupBy(people, ({ runner }) => runner);
  const roundMs = runners.size * (turnMs + loadMs + runMs);
  const boundMs = deps.promises.patienceMs.interactive + roundMs;
  return [...runners.values()].flatMap((own) => {
    const inOrder = own.toSorted((a, b) => a.toMs - b.toMs);
    return inOrder.flatMap(({ name, toMs }, at) => {
      const waiting = inOrder.slice(at).map(({ fromMs }) => fromMs);
      const sinceMs = Math.max(inOrder[at - 1]?.toMs ?? 0, Math.min(...waiting));
      const isInTime = toMs - sinceMs <= boundMs + slackMs;
      return isInTime ? [] : [`bound 2 ${name}: its runner had no turn for ${toMs - sinceMs} ms`];
    });
  });
}

/** 3: who waits for a runner has its share of what that runner serves. */
function judgeShares(deps: BoundsDeps, own: readonly Wait[]): readonly string[] {
  return [...Map.groupBy(own, ({ runner }) => runner).values()].flatMap((all) => {
    const boundMs = shareMsOf(deps, all, Math.max(...all.map(({ runMs }) => runMs)));
    return [...Map.groupBy(all, ({ client }) => client).values()].flatMap((its) => {
      const inOrder = its.toSorted((a, b) => a.toMs - b.toMs);
      return inOrder.flatMap(({ name, toMs }, at) => {
        const waiting = inOrder.slice(at).map(({ fromMs }) => fromMs);
        const sinceMs = Math.max(inOrder[at - 1]?.toMs ?? 0, Math.min(...waiting));
        const served = all.filter((other) => other.toMs >= sinceMs && other.toMs < toMs);
        const servedMs = served.reduce((sum, { runMs }) => sum + runMs, 0);
        if (servedMs <= boundMs + slackMs) return [];
        return [`bound 3 ${name}: its client waited while ${servedMs} ms were served`];
      });
    });
  });
}

/** G of design.md, of clients that weigh the same. */
function shareMsOf({ plan }: BoundsDeps, own: readonly Wait[], runMs: number): number {
  const clients = new Set(own.map(({ client }) => client)).size;
  return plan.slots * runMs * (clients + 3 * clients);
}

/** 4: nobody starves. */
function judgeWaits(
  deps: BoundsDeps,
  waits: readonly Wait[],
  own: readonly Wait[],
): readonly string[] {
  const { leastMs, loadMs, runMs, turnMs } = extremesOf(deps, waits);
  const runners = new Set(own.map(({ runner }) => runner)).size;
  return own.flatMap((wait) => {
    const isBatch = wait.class === "batch";
    const ahead = own.filter(
      ({ fromMs, lane, toMs }) =>
        lane === wait.lane && fromMs < wait.fromMs && toMs > wait.fromMs && toMs < wait.toMs,
    ).length;
    const visitMs = turnMs + (isBatch ? floorMsOf(deps, waits) : loadMs + runMs);
    const visits = (ahead + 1) * Math.ceil(shareMsOf(deps, own, runMs) / leastMs);
    const boundMs = deps.promises.patienceMs[wait.class] + visits * runners * visitMs;
    const waitedMs = wait.toMs - wait.fromMs;
    return waitedMs <= boundMs + slackMs ? [] : [`bound 4 ${wait.name} waited for ${waitedMs} ms`];
  });
}
