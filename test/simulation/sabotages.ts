// Worlds with one broken rule each: what is broken, and the words in which the referee notices.
import type { Ending, JobId } from "../../src/job.ts";
import type { Answer, PutBack } from "../../src/store/store.ts";
import type { MemoryDisk } from "../support/memory-disk.ts";
import type { AskedVerb } from "./sim-store.ts";
import type { Sabotage } from "./simulate.ts";

type Broken = { readonly sabotage: Sabotage; readonly words: RegExp };

type Apply = () => Promise<unknown>;

/** Does something else in the place of one verb. */
const instead = (
  name: string,
  act: (verb: AskedVerb, apply: Apply, disk: MemoryDisk) => Promise<unknown>,
): Sabotage => ({
  tamper: (verb, apply, disk) => (verb.name === name ? act(verb, apply, disk) : apply()),
});

const idOf = ({ args: [first] }: AskedVerb) => first as JobId;

export const sabotages: Readonly<Record<string, Broken>> = {
  "a settle that is answered and not written": {
    sabotage: instead("settle", async ({ args: [, , ending] }, apply) =>
      (ending as Ending).state === "done" ? "settled" : apply(),
    ),
    words: /idle for \d+ ms while r/,
  },
  "an insert that is answered and not written": {
    sabotage: instead("insertJob", async ({ args: [job] }, apply, disk) => {
      const inserted = await apply();
      disk.forget((job as { id: JobId }).id);
      return inserted;
    }),
    words: /I1 r\d+ was acknowledged, and is lost/,
  },
  "a disk that forgets its youngest row at a death": {
    sabotage: {
      onDeath: (disk) => {
        const youngest = [...disk.rows.keys()].at(-1);
        if (youngest !== undefined) disk.forget(youngest);
      },
    },
    words: /I1 r\d+ was acknowledged, and is lost|a row that nobody/,
  },
  "an end that is written over": {
    sabotage: instead("endWaiting", async (verb, apply, disk) => {
      const row = disk.rows.get(idOf(verb));
      if (row?.state === "done") row.state = "cancelled";
      return apply();
    }),
    words: /I2 r\d+: its end was changed/,
  },
  "a cancel that is answered and not written": {
    sabotage: instead("endWaiting", async () => "ended"),
    words: /I7 r\d+: its cancel was answered, and it is queued/,
  },
  "an answer kept without its last byte": {
    sabotage: instead("settle", async ({ args }, apply) => {
      const answer = args[4] as Answer | null;
      if (answer) Object.assign(answer, { body: answer.body.subarray(0, -1) });
      return apply();
    }),
    words: /I3 r\d+: kept is not what the target sent/,
  },
  "an attempt that is never counted": {
    sabotage: instead("putBack", async ({ args }, apply, disk) => {
      const answer = await apply();
      const row = disk.rows.get(args[0] as JobId);
      if ((args[2] as PutBack).counted && row) row.attempts -= 1;
      return answer;
    }),
    words: /I5 r\d+/,
  },
  "a key that is forgotten at a death": {
    sabotage: { onDeath: (disk) => disk.keys.clear() },
    words: /I9 r\d+: its key/,
  },
  "an unmarked answer that is written as done": {
    sabotage: instead("putBack", async ({ args: [id] }, apply, disk) => {
      const answer = await apply();
      const row = disk.rows.get(id as JobId);
      const ending = { reason: null, message: null, statusCode: 200, endedAtMs: 0 };
      const tokens = { promptTokens: null, completionTokens: null };
      if (row)
        Object.assign(row, { state: "done", ending: { ...ending, ...tokens, state: "done" } });
      return answer;
    }),
    words: /I3 r\d+|P5 r\d+/,
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
    sabotage: instead("claim", async () => "lost"),
    words: /idle for|hangs/,
  },
  "a younger job that is claimed first": {
    sabotage: instead("waitingIn", async (_, apply) => {
      const jobs = (await apply()) as { arrival: number }[];
      const arrivals = jobs.map(({ arrival }) => arrival).reverse();
      return jobs.map((job, at) => ({ ...job, arrival: arrivals[at] }));
    }),
    words: /I6 r\d+ went after a younger one/,
  },
};
