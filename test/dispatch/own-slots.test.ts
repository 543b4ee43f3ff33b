import { expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { finish, presentScene } from "./dispatch-scene.ts";

test("each person whose client has its slots in use is made way for by that client's batch work", async () => {
  const scene = await presentScene({ slots: 3, slotsOf: () => 1 });
  const { chats, clock, queue, store, submitted } = scene;
  const ofAnn = { client: "ann", id: newJobId(2) };
  submitted(ofAnn);
  const item = { client: "bob", id: newJobId(3), isDurable: true, class: "batch" as const };
  const nobody = { idempotencyKey: null, webhookUrl: null, hasClient: false };
  const { job } = aSubmission(item);
  await queue.submitDurable({ job, body: Buffer.from("{}"), ...nobody });
  await clock.settle();
  expect(chats()).toHaveLength(2);

  // Ann's own chat holds her slot: nothing of hers can make way.
  submitted({ client: "ann", id: newJobId(4) });
  await clock.settle();
  expect(chats().map(({ isAborted }) => isAborted)).toEqual([false, false]);
  const { waiter } = submitted({ client: "bob", id: newJobId(5) });
  await clock.advance(100);

  expect(chats().map(({ isAborted }) => isAborted)).toEqual([false, true, false]);
  finish(chats()[2]!);
  expect(waiter.isEnded).toBe(true);
  await clock.settle();
  expect(await store.job(job.id)).toMatchObject({ preemptions: 1 });
});
