import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { newJobId } from "../../src/job.ts";
import { aSubmission } from "../queue/submission.ts";
import { type DispatchScene, finish, presentScene } from "./dispatch-scene.ts";

const full = new ForemanError("storage_full", "the disk is full");

/** So many durable jobs wait; then the disk is full. */
async function withFullDisk(count: number) {
  const scene = await presentScene();
  scene.polled.missing = "unreachable";
  await scene.poller.refresh();
  const ids = [];
  for (let i = 0; i < count; i++) {
    const job = { ...aSubmission().job, id: newJobId(i), isDurable: true };
    const body = Buffer.from("{}");
    const facts = { idempotencyKey: null, webhookUrl: null, hasClient: false };
    const taken = scene.queue.submitDurable({ job, body, ...facts });
    await scene.clock.settle();
    await taken;
    ids.push(job.id);
  }
  scene.store.failsWith = full;
  scene.polled.missing = null;
  await scene.poller.refresh();
  await scene.clock.settle();
  return { ...scene, ids };
}

const claimsTried = ({ lines }: Pick<DispatchScene, "lines">) =>
  lines.filter(({ msg }) => msg === "job claimed").length;

describe("durable jobs whose claims the disk is too full for", () => {
  test("D1 stay in their lane and say why, but for one that tries every five seconds", async () => {
    const scene = await withFullDisk(100);
    expect(claimsTried(scene)).toBe(1);

    await scene.clock.advance(4_999);
    expect(claimsTried(scene)).toBe(1);
    await scene.clock.advance(1);

    expect(claimsTried(scene)).toBe(2);
    expect(scene.queue.depth).toBe(100);
    expect([...scene.dispatcher.view.holds.values()]).toEqual([{ kind: "store-stuck" }]);
    await scene.clock.advance(60_000);
    expect(scene.dispatcher.problem).toBeNull();
    expect(scene.chats()).toEqual([]);
  });

  test("wait for none that the store refuses for its own sake", async () => {
    const scene = await withFullDisk(2);
    scene.store.failsWith = null;
    const { claim } = scene.store;
    scene.store.claim = (id, ...facts) => {
      if (id !== scene.ids[0]) return claim.call(scene.store, id, ...facts);
      return Promise.reject(new ForemanError("internal", "refused"));
    };

    await scene.clock.advance(5_000);
    finish(scene.chats()[0]!);
    await scene.clock.settle();

    expect(await scene.store.job(scene.ids[1]!)).toMatchObject({ state: "done" });
    expect(await scene.store.job(scene.ids[0]!)).toMatchObject({ state: "queued" });
  });

  test("run in their order when there is room again, with all their attempts", async () => {
    const scene = await withFullDisk(3);

    scene.store.failsWith = null;
    await scene.clock.advance(5_000);
    for (const n of [0, 1, 2]) {
      finish(scene.chats()[n]!);
      await scene.clock.settle();
    }

    const jobs = await Promise.all(scene.ids.map((id) => scene.store.job(id)));
    expect(jobs).toMatchObject(scene.ids.map(() => ({ state: "done", attempts: 1 })));
    const claimed = scene.lines.filter(({ msg }) => msg === "job claimed");
    expect(claimed.map(({ jobId }) => jobId)).toEqual([scene.ids[0], ...scene.ids]);
  });

  test("do not hinder a client on a socket, who needs no claim on the disk", async () => {
    const scene = await withFullDisk(3);

    const { waiter } = scene.submitted();
    finish(scene.chats()[0]!);

    expect(waiter.isEnded).toBe(true);
  });

  test("are cancelled when there is room, and do not end the process before", async () => {
    const scene = await withFullDisk(1);
    const id = scene.ids[0]!;

    const answers: unknown[] = [];
    const { claim } = scene.store;
    scene.store.claim = (...facts) => {
      scene.queue.cancels.one(id).then(
        (is) => answers.push(is),
        (cause) => answers.push(cause),
      );
      return claim.apply(scene.store, facts);
    };
    await scene.clock.advance(5_000);
    expect(answers).toEqual([full]);
    scene.store.failsWith = null;
    expect(await scene.queue.cancels.one(id)).toBe(true);
    await scene.clock.advance(5_000);

    expect(scene.chats()).toEqual([]);
    expect(await scene.store.job(id)).toMatchObject({ state: "cancelled" });
  });
});
