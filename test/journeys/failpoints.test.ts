/**
 * kill -9 of the real daemon at each named point of its store's work: see
 * test/support/fail-at-point.ts. That it died there is proved by its last words, and that the point
 * is what it is called by what the database holds. After each death the next life works off what is
 * there, and in the end the whole history is checked.
 */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import type { JobWriteVerb } from "../../src/store/sqlite/verb.ts";
import { writeFirstSchema } from "../store/sqlite/first-schema.ts";
import {
  type Approach,
  cancellation,
  cancellationOfAll,
  cleanUp,
  deliveryFailed,
  deliveryTaken,
  failure,
  farewell,
  lastTry,
  newModel,
  openStage,
  prunedModel,
  question,
  receiverGone,
  restart,
  submission,
  wordsOf,
} from "../support/approaches.ts";
import { arm, diedAt, mayFailAtPoint } from "../support/failpoints.ts";
import { type JobRow, lookInto } from "../support/job-rows.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { takes } from "../support/receiver.ts";

type Point = {
  readonly approach: Approach;
  /** Whether what is committed here is on the disk, by the job's row and all others. */
  readonly isWritten?: (row: JobRow | undefined, rows: readonly JobRow[]) => boolean;
  /** It writes nothing, so that before its commit and after are the same. */
  readonly isReading?: true;
};

const isPruned = (_: unknown, rows: readonly JobRow[]) =>
  rows.every(({ model }) => model !== prunedModel);

/**
 * Batches have their deaths in batch-storm.test.ts. A large database is noted to be sound: of no
 * job, and done again if it is lost.
 */
type JobVerb = Exclude<JobWriteVerb, { readonly kind: "noteSound" }>;

/** Every verb of jobs that the writing thread knows: one without a line here does not compile. */
const verbs: Readonly<Record<JobVerb["kind"], Point>> = {
  insertJob: { approach: submission, isWritten: (row) => row !== undefined },
  claim: { approach: submission, isWritten: (row) => row?.state === "loading" },
  body: { approach: submission, isReading: true },
  waitingIn: { approach: submission, isReading: true },
  markWorking: { approach: submission, isWritten: (row) => row?.state === "working" },
  settle: { approach: submission, isWritten: (row) => row?.state === "done" },
  remember: { approach: newModel },
  putBack: { approach: failure, isWritten: (row) => row?.put_back_why === "target_failed" },
  endWaiting: { approach: cancellation, isWritten: (row) => row?.state === "cancelled" },
  cancelWaiting: {
    approach: cancellationOfAll,
    isWritten: (row) => row?.state === "cancelled",
  },
  job: { approach: question, isReading: true },
  recoverInterrupted: { approach: restart, isWritten: (row) => row?.deaths === 1 },
  recall: { approach: restart, isReading: true },
  newestArrival: { approach: restart, isReading: true },
  lanes: { approach: restart, isReading: true },
  heartbeat: { approach: restart },
  prune: { approach: cleanUp, isWritten: isPruned },
  shrink: { approach: cleanUp },
  emptyLog: { approach: cleanUp },
  // What they leave in the outbox is held in kill-webhooks.test.ts.
  noteDelivered: { approach: deliveryTaken },
  noteFailed: { approach: deliveryFailed },
  endWebhook: { approach: receiverGone },
  giveUp: { approach: lastTry },
};

/** What the store does beside its verbs. */
const others: Readonly<Record<string, Point>> = {
  wal_checkpoint: { approach: farewell },
};

const approached = Map.groupBy(
  Object.entries({ ...verbs, ...others }),
  ([, { approach }]) => approach,
);
const scenes = [...approached].map(([{ when }, points]) => ({ when, points }));

describe("a daemon that is killed before or after a commit", () => {
  test.each(scenes)(
    "Q1 Q2 Q3 Q5 Q7 $when, loses and doubles nothing",
    async ({ points }) => {
      const stage = await openStage();
      const { receiver, scene } = stage;
      await scene.boot();

      for (const [name, { approach, isReading, isWritten }] of points) {
        for (const moment of isReading ? ["after"] : ["before", "after"]) {
          const point = `${name} ${moment}`;
          await approach.to(stage, point, () => arm(scene, point));
          await diedAt(scene, point);
          const atDeath = scene.rows().find((row) => row.idempotency_key === point);
          if (isWritten !== undefined) {
            expect(isWritten(atDeath, scene.rows()), point).toBe(moment === "after");
          }

          receiver.answers = takes;
          await scene.boot();
          const id = await scene.submit(wordsOf(point, stage), point);
          expect(id, point).toBe(atDeath?.id ?? id);
          const isCancelled = atDeath?.state === "cancelled";
          expect(await scene.ended(id), point).toMatchObject({
            state: isCancelled ? "cancelled" : "done",
            attempts: isCancelled ? 0 : expect.any(Number),
          });
        }
      }

      const durable = scene.rows().filter((row) => row.is_durable === 1);
      for (const { id } of durable) await scene.ended(id);
      scene.expectSound();
    },
    60_000,
  );
});

describe("a daemon that is killed while it makes its database", () => {
  const moments = ["before", "after"];

  test.each(moments)("Q7 %s the first file is put in its place, makes it again", async (moment) => {
    const scene = await KillScene.open({}, mayFailAtPoint);

    arm(scene, `create ${moment}`);
    scene.spawn();
    await diedAt(scene, `create ${moment}`);
    const isThere = existsSync(scene.file);
    await scene.boot();
    const id = await scene.submit(chatAbout("one"));

    expect(isThere).toBe(moment === "after");
    expect(await scene.ended(id)).toMatchObject({ state: "done" });
    scene.expectSound();
  });

  test.each([
    { point: "copy before", version: 1, isCopied: false },
    { point: "copy after", version: 1, isCopied: false },
    { point: "keep copy before", version: 1, isCopied: false },
    { point: "keep copy after", version: 1, isCopied: true },
    { point: "migrate before", version: 1, isCopied: true },
    { point: "migrate after", version: 2, isCopied: true },
  ])("Q7 at '$point', has the whole schema $version", async ({ isCopied, point, version }) => {
    const scene = await KillScene.open({}, mayFailAtPoint);
    const waiting = newJobId(Date.now());
    const facts = {
      state: "queued",
      isDurable: 0,
      attempts: 0,
      endedAtMs: null,
      body: null,
    } as const;
    writeFirstSchema(scene.file, [{ ...facts, id: waiting }]);

    arm(scene, point);
    scene.spawn();
    await diedAt(scene, point);
    const found = lookInto(scene.file, (database) =>
      database.pragma("user_version", { simple: true }),
    );
    const hasCopy = existsSync(`${scene.file}.before-0002`);
    await scene.boot();
    const id = await scene.submit(chatAbout("one"));

    expect({ found, hasCopy }).toEqual({ found: version, hasCopy: isCopied });
    expect(await scene.ended(id)).toMatchObject({ state: "done" });
    expect(scene.row(waiting)).toMatchObject({ state: "cancelled", end_reason: "client_gone" });
  });
});
