/** One call to the outside fails, the first, the second and so on: once each, in a life of two jobs. */
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { type Job, newJobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { type DispatchScene, finish, presentScene } from "./dispatch-scene.ts";

/** More calls than the two jobs make. */
const callsMax = 60;

const full = new ForemanError("storage_full", "no space left");

/** Makes the store's nth verb that writes fail; answers how many there were. */
function failWrite({ store }: DispatchScene, nth: number): () => number {
  let count = 0;
  let isThrown = true;
  Object.defineProperty(store, "failsWith", {
    get() {
      // It is looked at once more when it is thrown.
      if (count === nth && !isThrown) {
        isThrown = true;
        return full;
      }
      count += 1;
      isThrown = count !== nth;
      return isThrown ? null : full;
    },
  });
  return () => count;
}

/** Makes the nth request to the target fail. */
function failSend({ target }: DispatchScene, nth: number, kind: "unreachable" | "lost") {
  let count = 0;
  const { script } = target;
  target.script = (asked) => {
    count += 1;
    if (count === nth) asked.fail(kind);
    else script(asked);
  };
  return () => count;
}

/** A chat on a socket and a durable job, answered by the target whenever they are sent. */
async function live(scene: DispatchScene) {
  const { chats, clock, dispatcher, queue, store, submitted } = scene;
  const chat = submitted();
  const job: Job = { ...aSubmission().job, id: newJobId(1), isDurable: true, client: "bob" };
  const keyless = { idempotencyKey: null, webhookUrl: null, hasClient: false };
  const taken = queue.submitDurable({ job, body: Buffer.from("{}"), ...keyless }).then(
    ({ kind }) => kind,
    ({ code }) => code as string,
  );
  for (let second = 0; second < 120; second++) {
    await clock.advance(1_000);
    for (const asked of chats()) if (!asked.isOver) finish(asked);
  }
  const rows = { chat: await store.job(chat.id), job: await store.job(job.id) };
  const left = { depth: queue.depth, running: dispatcher.runningCount };
  return { chat, left, rows, starts: chats().length, taken: await taken };
}

function expectSound(life: Awaited<ReturnType<typeof live>>): void {
  const { chat, left, rows, taken } = life;
  expect(left).toEqual({ depth: 0, running: 0 });
  // Its client is answered or refused; what it has of a row came to an end.
  expect(chat.waiter.isOver).toBe(true);
  expect(rows.chat === null || rows.chat.ending !== null).toBe(true);
  // It was taken, and is done; or it was not, and there is nothing of it.
  expect([taken, rows.job?.state]).toEqual(
    taken === "queued" ? ["queued", "done"] : ["storage_full", undefined],
  );
}

describe("Q15 the nth call that fails", () => {
  test("be it a write of the store, leaves nobody waiting and no job without its end", async () => {
    let nth = 0;
    let count = () => callsMax;
    while (count() > nth) {
      nth += 1;
      const scene = await presentScene();
      count = failWrite(scene, nth);
      const life = await live(scene);
      expectSound(life);
      expect(life.starts).toBeLessThanOrEqual(2);
    }

    expect(nth).toBeGreaterThan(8);
    expect(nth).toBeLessThan(callsMax);
  });

  test.each(["unreachable", "lost"] as const)(
    "be it a request to the target that is %s, leaves nobody waiting and no job without its end",
    async (kind) => {
      for (let nth = 1; nth <= 12; nth++) {
        const scene = await presentScene();
        failSend(scene, nth, kind);
        const life = await live(scene);
        expectSound(life);
        expect(life.taken).toBe("queued");
      }
    },
  );
});
