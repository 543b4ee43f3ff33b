import fc from "fast-check";
import type { JobId, JobState } from "../../src/job.ts";
import type { Insertion, Store } from "../../src/store/store.ts";
import {
  answered,
  cancelled,
  counted,
  done,
  failed,
  preempted,
  refunded,
} from "./contract/endings.ts";
import { aJob, prompt } from "./job-maker.ts";
import { unworded } from "./store-view.ts";

/** One verb of a random sequence; played to each of several stores, it must answer alike. */
export type RandomVerb = {
  /** Resolves with what is to be compared. */
  readonly play: (store: Store, ids: readonly JobId[]) => Promise<unknown>;
  /** The store is to be closed and opened again. */
  readonly isReopening?: boolean;
  readonly toString: () => string;
};

/** How many jobs a sequence is about. */
export const jobsMax = 6;

const clients = ["ann", "bob"];
const models = ["a:latest", "b:latest"];
const hooks = ["http://one.example/", "http://two.example/hook"];
/** Which of the jobs that the verb fits; if there is none, of all, which it must refuse. */
const which = fc.nat(jobsMax - 1);
const atMs = fc.integer({ min: 1, max: 1_000 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 2 });
/** Which attempt is meant, from the latest one on: mostly one that may be. */
const nextAttempt = fc.constantFrom(0, 1, 1, 1, 1, 2);
const thisAttempt = fc.constantFrom(-1, 0, 0, 0, 0, 0, 1);

const insert = verb(
  "insert",
  {
    ...{ which, isDurable: fc.boolean(), key: maybe(fc.constantFrom("k", "l")), atMs },
    ...{ client: fc.constantFrom(...clients), model: fc.constantFrom(...models) },
    class: fc.constantFrom("interactive" as const, "batch" as const),
    hook: maybe(fc.constantFrom(...hooks)),
  },
  ({ atMs: enqueuedAtMs, hook, key, which: i, ...facts }) =>
    async (store, ids) => {
      const known = (await store.page({ limit: jobsMax })).map(({ id }) => id);
      const id = ids.find((each) => !known.includes(each)) ?? ids[i]!;
      const job = { ...aJob(facts), id, loadKey: facts.model, enqueuedAtMs };
      const options = { idempotencyKey: key, webhookUrl: hook };
      const insertion: Insertion = await store.insertJob(
        job,
        job.isDurable ? prompt : null,
        options,
      );
      return insertion.kind === "known"
        ? { kind: "known", job: unworded(insertion.job) }
        : insertion;
    },
);

const claim = verb("claim", { which, attempt: nextAttempt, atMs }, (facts) =>
  inState(["queued"], facts, (store, id, attempt) => store.claim(id, attempt, facts.atMs)),
);

const mark = verb("mark", { which, attempt: thisAttempt, atMs }, (facts) =>
  inState(["loading"], facts, (store, id, attempt) => store.markWorking(id, attempt, facts.atMs)),
);

const settle = verb(
  "settle",
  {
    ...{ which, attempt: thisAttempt, atMs, hasAnswer: fc.boolean() },
    ending: fc.constantFrom(done, done, failed, cancelled),
  },
  (facts) =>
    inState(["loading", "working"], facts, (store, id, attempt) => {
      const answer = facts.hasAnswer ? answered : null;
      return store.settle(id, attempt, facts.ending, facts.atMs, answer);
    }),
);

const putBack = verb(
  "putBack",
  {
    ...{ which, attempt: thisAttempt, atMs, notBeforeMs: maybe(atMs) },
    how: fc.constantFrom(refunded, counted, preempted),
  },
  ({ how, notBeforeMs, ...facts }) =>
    inState(["loading", "working"], facts, (store, id, attempt) =>
      store.putBack(id, attempt, how, facts.atMs, notBeforeMs),
    ),
);

const endWaiting = verb(
  "endWaiting",
  {
    which,
    atMs,
    ending: fc.constantFrom(done, failed, cancelled),
  },
  (facts) =>
    inState(["queued"], facts, (store, id) => store.endWaiting(id, facts.ending, facts.atMs)),
);

const cancelWaiting = verb(
  "cancelWaiting",
  {
    ...{ client: maybe(fc.constantFrom(...clients)), model: maybe(fc.constantFrom(...models)) },
    ...{ after: fc.nat(4), upTo: fc.nat(12), limit: fc.integer({ min: 1, max: 4 }), atMs },
  },
  ({ atMs: now, client, model, ...slice }) =>
    async (store) => {
      const filter = { client: client ?? undefined, model: model ?? undefined };
      const ending = { ...cancelled, reason: "cancelled_by_user" } as const;
      return byId(await store.cancelWaiting({ ...slice, ...filter }, ending, now));
    },
);

const recover = verb("recover", { atMs }, (facts) => async (store) => {
  const found = await store.recoverInterrupted(facts.atMs);
  return { ...found, cancelled: found.cancelled.toSorted(), poisoned: found.poisoned.toSorted() };
});

const prune = verb(
  "prune",
  { atMs, limit: fc.integer({ min: 1, max: 3 }) },
  (facts) => (store) => store.prune(facts.atMs, facts.limit),
);

const tell = verb(
  "tell",
  {
    ...{ nth: fc.nat(2), nowMs: atMs, nextAtMs: atMs },
    how: fc.constantFrom(
      ...(["noteDelivered", "noteDelivered", "giveUp", "endWebhook", "noteFailed"] as const),
    ),
  },
  ({ how, nextAtMs, nowMs, nth }) =>
    async ({ outbox }) => {
      const delivery = (await outbox.due(nowMs, 3)).deliveries[nth];
      if (delivery === undefined) return null;
      const { seq, ...told } = delivery;
      await (how === "noteFailed" ? outbox.noteFailed(seq, nextAtMs) : outbox[how](seq));
      return told;
    },
);

const reopen = fc.constant({
  play: async () => null,
  isReopening: true,
  toString: () => "reopen()",
} satisfies RandomVerb);

/** Half of `maxLength` verbs or more, those of a job's usual life the most often. */
export function randomVerbs(maxLength: number): fc.Arbitrary<RandomVerb[]> {
  const often = [insert, insert, claim, claim, mark, settle, putBack, tell];
  const seldom = [endWaiting, cancelWaiting, recover, prune, reopen];
  const verbs = fc.oneof(
    ...often.map((arbitrary) => ({ weight: 4, arbitrary })),
    ...seldom.map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.array(verbs, { minLength: maxLength / 2, maxLength });
}

function verb<Facts extends object>(
  name: string,
  facts: { [K in keyof Facts]: fc.Arbitrary<Facts[K]> },
  playing: (facts: Facts) => RandomVerb["play"],
): fc.Arbitrary<RandomVerb> {
  return fc.record(facts).map((drawn) => ({
    play: playing(drawn as Facts),
    toString: () => `${name}(${JSON.stringify(drawn)})`,
  }));
}

function inState(
  states: readonly JobState[],
  { attempt, which: i }: { attempt?: number; which: number },
  play: (store: Store, id: JobId, attempt: number) => Promise<unknown>,
): RandomVerb["play"] {
  return async (store, ids) => {
    const known = await store.page({ limit: jobsMax });
    const fitting = known.filter(({ state }) => states.includes(state));
    const job = fitting[i % Math.max(1, fitting.length)] ?? known[i % Math.max(1, known.length)];
    return play(store, job?.id ?? ids[i]!, Math.max(1, (job?.lastAttempt ?? 0) + (attempt ?? 0)));
  };
}

function byId<T extends { readonly jobs: readonly { readonly id: JobId }[] }>(slice: T): T {
  return { ...slice, jobs: slice.jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}
