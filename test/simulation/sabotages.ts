// Worlds with one broken rule each: what is broken, and the words in which the referee notices.
import type { VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import type { StoredJob } from "../../src/store/store.ts";
import type { Plan } from "./plan.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Sabotage } from "./simulate.ts";

type Broken = {
  readonly sabotage: Sabotage;
  readonly words: RegExp;
  /** Worlds in which it may be noticed at all; every one if absent. */
  readonly where?: (plan: Plan) => boolean;
  /** It is looked for in steady worlds alone. */
  readonly isSteady?: boolean;
};

const hasBatches = ({ batches }: Plan) => batches.length > 0;

const hasLargeBatches = ({ batches }: Plan) => batches.some(({ items }) => items > 32);

const hasFailingReceivers = (plan: Plan) => hasWebhooks(plan) && plan.hookSpells.length > 0;

/** The bound on any wait is near only where jobs are alike, and many. */
const isUniform = ({ requests }: Plan) =>
  requests.length > 60 && requests.every(({ client }) => client === requests[0]?.client);

const hasWebhooks = ({ requests }: Plan) => requests.some(({ hook }) => hook !== null);

type Act<Kind extends WriteVerb["kind"]> = (
  verb: WriteVerb & { readonly kind: Kind },
  apply: () => VerbAnswer,
  disk: SimDisk,
) => VerbAnswer;

/** Does something else in the place of one verb. */
const instead = <Kind extends WriteVerb["kind"]>(kind: Kind, act: Act<Kind>): Sabotage => ({
  tamper: (verb, apply, disk) =>
    verb.kind === kind ? act(verb as WriteVerb & { kind: Kind }, apply, disk) : apply(),
});

export const sabotages: Readonly<Record<string, Broken>> = {
  "a settle that is answered and not written": {
    sabotage: instead("settle", ({ ending }, apply) =>
      ending.state === "done" ? "settled" : apply(),
    ),
    words: /idle for \d+ ms while r/,
  },
  "an insert that is answered and not written": {
    sabotage: instead("insertJob", ({ job }, apply, disk) => {
      const inserted = apply();
      disk.forget(job.id);
      return inserted;
    }),
    words: /I1 r\d+ was acknowledged, and is lost/,
  },
  "a disk that forgets its youngest row at a death": {
    sabotage: {
      onDeath: (disk) => {
        const youngest = disk.rows.at(-1);
        if (youngest !== undefined) disk.forget(youngest.id);
      },
    },
    words: /I1 r\d+ was acknowledged, and is lost|a row that nobody/,
  },
  "an end that is written over": {
    sabotage: instead("endWaiting", ({ id }, apply, disk) => {
      disk.run("UPDATE job SET state = 'cancelled' WHERE id = ? AND state = 'done'", id);
      return apply();
    }),
    words: /I2 r\d+: its end was changed/,
  },
  "a cancel that is answered and not written": {
    sabotage: instead("endWaiting", () => "ended"),
    words: /I7 r\d+: its cancel was answered, and it is queued/,
  },
  "an answer kept without its last byte": {
    sabotage: instead("settle", ({ answer }, apply) => {
      if (answer) Object.assign(answer, { body: answer.body.subarray(0, -1) });
      return apply();
    }),
    words: /I3 r\d+: kept is not what the target sent/,
  },
  "an attempt that is never counted": {
    sabotage: instead("putBack", ({ id, putBack }, apply, disk) => {
      const answer = apply();
      if (putBack.counted) disk.run("UPDATE job SET attempts = attempts - 1 WHERE id = ?", id);
      return answer;
    }),
    words: /I5 r\d+/,
  },
  "a key that is forgotten at a death": {
    sabotage: { onDeath: (disk) => void disk.run("UPDATE job SET idempotency_key = NULL") },
    words: /I9 r\d+: its key/,
  },
  "an unmarked answer that is written as done": {
    sabotage: instead("putBack", ({ atMs, id }, apply, disk) => {
      const answer = apply();
      const end = "state = 'done', ended_at_ms = ?, not_before_ms = NULL";
      disk.run(`UPDATE job SET ${end} WHERE id = ?`, atMs, id);
      return answer;
    }),
    words: /I3 r\d+|P5 r\d+/,
  },
  "an answer that loses its last byte on the way": {
    sabotage: { isLossy: true },
    words: /I3 r\d+: its client heard what no start sent/,
  },
  "a door that lets everybody in": {
    sabotage: { isOpen: true },
    words: /an error that is 401 was answered 400|r\d+ is shown to others/,
  },
  "a webhook that is struck out when its receiver fails": {
    sabotage: instead("noteFailed", ({ seq }, _, disk) => {
      disk.run("DELETE FROM outbox WHERE seq = ?", seq);
      return undefined;
    }),
    words: /W1 r\d+: its state \d+ was not told/,
    where: hasFailingReceivers,
  },
  "an outbox that is lost at a death": {
    sabotage: { onDeath: (disk) => void disk.run("DELETE FROM outbox") },
    words: /W1 r\d+: its state \d+ was not told/,
    where: hasWebhooks,
  },
  "a job's webhooks that do not wait for each other": {
    sabotage: instead("noteFailed", (_, apply, disk) => {
      const answer = apply();
      disk.run("UPDATE outbox SET next_at_ms = 0 WHERE next_at_ms IS NULL");
      return answer;
    }),
    words: /W2 r\d+: its state \d+ was told before/,
    where: hasFailingReceivers,
  },
  "a webhook that is received and not noted": {
    sabotage: instead("noteDelivered", ({ seq }, apply, disk) => {
      const isFirst = disk.run("UPDATE outbox SET tries = 1 WHERE seq = ? AND tries = 0", seq) > 0;
      return isFirst ? undefined : apply();
    }),
    words: /W3 r\d+: its state \d+ was told again/,
    where: hasWebhooks,
  },
  "a secret that receivers do not know": {
    sabotage: { hookSecret: "another secret" },
    words: /W4 r\d+: its signature/,
    where: hasWebhooks,
  },
  "a counter of a batch that is off by one": {
    sabotage: instead("endItem", ({ item }, apply, disk) => {
      const answer = apply();
      const off = "completed_count = completed_count + 1, failed_count = failed_count - 1";
      disk.run(`UPDATE runtime_llm_jobs SET ${off} WHERE seq = ?`, item.batch);
      return answer;
    }),
    words: /B1 batch \d+: its counters are not those of its items/,
    where: hasBatches,
  },
  "an item that waits again after its end": {
    sabotage: instead("endItem", ({ item }, apply, disk) => {
      const again = "status = 'queued', ended_at_ms = NULL, queue_job = NULL";
      const failed = "status = 'failed' AND job_seq = ?";
      disk.run(`UPDATE runtime_llm_job_items SET ${again} WHERE ${failed}`, item.batch);
      return apply();
    }),
    words: /I2 b\d+\.\d+: it was failed, and is queued/,
    where: hasBatches,
  },
  "items that are given out all at once": {
    sabotage: instead("waitingItems", (verb, _, disk) =>
      disk.writes.apply({ ...verb, limit: 1_000 }),
    ),
    words: /B3 \d+ items of .* are given out at once/,
    where: hasLargeBatches,
  },
  "a batch's key that is forgotten at a death": {
    sabotage: {
      onDeath: (disk) => void disk.run("UPDATE runtime_llm_jobs SET idempotency_key = NULL"),
    },
    words: /I9 b\d+: its key has another batch/,
    where: hasBatches,
  },
  "a batch's cancel that is answered and not written": {
    sabotage: instead("cancelItems", () => 0),
    words: /I7 b\d+: /,
    where: hasLargeBatches,
  },
  "an item's result without its last letter": {
    sabotage: instead("endItem", ({ end }, apply) => {
      if ("result" in end) Object.assign(end.result, { content: end.result.content.slice(0, -1) });
      return apply();
    }),
    words: /I3 b\d+: b\d+\.\d+ has what no generation said/,
    where: hasBatches,
  },
  "a verdict that is answered and not written": {
    sabotage: instead("judge", () => "judged"),
    words: /B5 b\d+: a second verdict was 200/,
    where: hasBatches,
  },
  "a floor for batches that is longer than promised": {
    sabotage: { promises: { batchFloor: { starts: 4, ms: 5_000 } } },
    words: /bound 1 r\d+: batch work waited/,
    isSteady: true,
  },
  "a runner that keeps its turn": {
    sabotage: { settings: { FOREMAN_SWAP_QUANTUM: "1000/1h" } },
    words: /bound 2 r\d+: its runner had no turn/,
    isSteady: true,
  },
  "a client that weighs more than it was told": {
    sabotage: { weight: 0.01 },
    words: /bound 3 r\d+: its client waited/,
    isSteady: true,
  },
  "a job that others go before for ever": {
    sabotage: instead("claim", ({ id }, apply, disk) => {
      const [oldest] = disk.owed;
      if (disk.owed.length > 1 && oldest?.id === id) throw new Error("not this one");
      return apply();
    }),
    words: /bound 4 r\d+ waited/,
    where: isUniform,
    isSteady: true,
  },
  "a job's event that is lost": {
    sabotage: instead("claim", (_, apply, disk) => {
      const answer = apply();
      disk.run("UPDATE transition SET n = n + 1 WHERE state = 'loading'");
      return answer;
    }),
    words: /E1 r\d+: event \d+ came after \d+/,
  },
  "a slot more than there is": {
    sabotage: { slotsMore: 1 },
    words: /I4 r\d+ starts beside/,
  },
  "a target that notices a cut after 200 ms": {
    sabotage: { noticeMs: 200 },
    words: /I4 r\d+ starts/,
  },
  "people who are taken for batches": {
    sabotage: {
      clients: (plan) => ({
        ...plan,
        requests: plan.requests.map((request) => ({
          ...request,
          class: request.class === "batch" ? "interactive" : "batch",
        })),
      }),
    },
    words: /P3 r\d+: \d+ batch starts before it/,
  },
  "a claim that is lost in the disk": {
    sabotage: instead("claim", () => "lost"),
    words: /idle for|hangs/,
  },
  "a younger job that is claimed first": {
    sabotage: instead("waitingIn", (_, apply) => {
      const jobs = apply() as readonly StoredJob[];
      const arrivals = jobs.map(({ arrival }) => arrival).reverse();
      return jobs.map((job, at) => ({ ...job, arrival: arrivals[at] ?? 0 }));
    }),
    words: /I6 r\d+ went after a younger one/,
  },
};
