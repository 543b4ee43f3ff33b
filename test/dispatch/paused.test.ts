import { expect, test } from "vitest";
import { newJobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { finish, presentScene } from "./dispatch-scene.ts";

test("paused people neither put a batch item back nor make the worker look stuck", async () => {
  const pause = { by: "ann", since: "2026-11-24T19:00:00.000Z", note: null };
  let isPaused = true;
  const pauseOf = (lane: { readonly class: string }) =>
    isPaused && lane.class === "interactive" ? pause : null;
  const { chats, clock, dispatcher, queue, submitted } = await presentScene({ pauseOf });
  const job = { ...aSubmission().job, id: newJobId(2), isDurable: true, class: "batch" as const };
  const facts = { idempotencyKey: null, webhookUrl: null, hasClient: false };
  await queue.submitDurable({ job, body: Buffer.from("{}"), ...facts });
  await clock.settle();
  expect(chats()).toHaveLength(1);

  const { waiter } = submitted();
  await clock.settle();
  expect(chats()[0]?.isAborted).toBe(false);
  finish(chats()[0]!);
  await clock.advance(60_000);
  expect(chats()).toHaveLength(1);
  expect(dispatcher.problem).toBeNull();
  expect([...dispatcher.view.holds.values()]).toEqual([{ kind: "paused", ...pause }]);

  isPaused = false;
  dispatcher.tick();
  await clock.settle();
  finish(chats()[1]!);
  expect(waiter.isEnded).toBe(true);
});
