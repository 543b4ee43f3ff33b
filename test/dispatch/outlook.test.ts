import { describe, expect, test } from "vitest";
import type { Job } from "../../src/job.ts";
import { type DispatchScene, presentScene } from "./dispatch-scene.ts";

/** The end of a native answer, with the time that the target says it took to load the model. */
const end = (loadMs: number) => `{"done":true,"load_duration":${loadMs * 1e6}}\n`;

/** One job of the runner comes, loads and runs, before anything else. */
async function ran(scene: DispatchScene, job: Partial<Job>, loadMs: number, runMs: number) {
  scene.submitted(job);
  await scene.clock.advance(loadMs);
  const asked = scene.chats().at(-1)!.head();
  await scene.clock.advance(runMs);
  asked.chunk(end(loadMs)).end();
  await scene.clock.settle();
}

const starts = ({ dispatcher, queue }: DispatchScene) =>
  [...queue.lanes()].map(({ key, loadKey, waiting }) => [
    loadKey,
    ...Array.from(waiting, (_, i) => dispatcher.startsInMs(key, i + 1)),
  ]);

describe("when waiting jobs are expected to start", () => {
  test("is known from the runs and loads before, and counts down while one runs", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 5_000, 10_000);
    await ran(scene, { loadKey: "b" }, 2_000, 1_000);
    scene.submitted({ loadKey: "a" });
    scene.submitted({ loadKey: "a" });
    scene.submitted({ loadKey: "b" });
    scene.submitted({ loadKey: "b" });

    await scene.clock.advance(1_000);

    expect(starts(scene)).toEqual([
      ["a", 14_000],
      ["b", 24_000, 27_000],
    ]);
    await scene.clock.advance(6_500);
    expect(starts(scene)).toEqual([
      ["a", 7_500],
      ["b", 17_500, 20_500],
    ]);
  });

  test("is unknown until a job of that runner has come to its end, and been told its load", async () => {
    const scene = await presentScene();
    scene.submitted({ loadKey: "a" });
    scene.submitted({ loadKey: "a" });
    expect(starts(scene)).toEqual([["a", null]]);

    scene.chats()[0]!.head();
    scene.chats()[0]!.fail("lost");
    await scene.poller.refresh();
    await scene.clock.advance(1_000);
    expect(starts(scene)).toEqual([]);
    scene.submitted({ loadKey: "a" });

    expect(starts(scene)).toEqual([["a", null]]);
  });

  test("is unknown while the target is away", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 0, 10_000);
    scene.submitted({ loadKey: "a" });
    scene.chats().at(-1)!.fail("unreachable");
    await scene.clock.settle();

    expect(starts(scene)).toEqual([["a", null]]);
  });

  test("does not take a load that was not told for a part of the run", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 0, 10_000);
    scene.submitted({ loadKey: "b" });
    await scene.clock.advance(60_000);
    scene.chats().at(-1)!.head().chunk('{"done":true}\n').end();
    await scene.clock.settle();
    scene.submitted({ loadKey: "b" });
    scene.submitted({ loadKey: "b" });

    expect(starts(scene)).toEqual([["b", null]]);
  });
});

describe("what loading has cost", () => {
  const told = ({ dispatcher }: DispatchScene) => {
    const { loadLog, runCount } = dispatcher.view.measures;
    const recent = loadLog.latest.map(({ cause, from, loadMs, to }) => [from, to, loadMs, cause]);
    return { ...loadLog.totals, runCount, recent };
  };

  test("is each load with what answered before it, and the sum", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 5_000, 1);
    await ran(scene, { loadKey: "a" }, 10, 1);
    await ran(scene, { loadKey: "b" }, 2_000, 1);

    expect(told(scene)).toEqual({
      count: 2,
      totalMs: 7_000,
      untoldCount: 0,
      optionsCount: 0,
      runCount: 3,
      recent: [
        ["a", "b", 2_000, "model"],
        [null, "a", 5_000, "gone"],
      ],
    });
    const [load] = scene.dispatcher.view.measures.loadLog.latest;
    expect(load?.atMs).toBe(scene.clock.wallMs() - 2_001);
  });

  test("counts a load of which the target tells nothing, once an answer began", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 5_000, 1);
    scene.submitted({ loadKey: "b" });
    scene.chats().at(-1)!.fail("unreachable");
    await scene.poller.refresh();
    await scene.clock.advance(1_000);
    scene.chats().at(-1)!.head().chunk('{"done":true}\n').end();

    expect(told(scene)).toMatchObject({ count: 2, totalMs: 5_000, untoldCount: 1, runCount: 3 });
    expect(told(scene).recent[0]).toEqual([null, "b", null, "gone"]);
  });

  test("is nothing for a request that the target refuses", async () => {
    const scene = await presentScene();
    await ran(scene, { loadKey: "a" }, 5_000, 1);
    scene.submitted({ loadKey: "b" });
    const refusal = '{"error":"option \\"num_ctx\\" must be of type integer"}';
    scene.chats().at(-1)!.head({ statusCode: 400 }).chunk(refusal).end();

    expect(told(scene)).toMatchObject({ count: 1, untoldCount: 0, optionsCount: 0, runCount: 2 });
  });

  test("is told one by one of the last 20, and summed up over all", async () => {
    const scene = await presentScene();
    for (let i = 0; i < 21; i++) await ran(scene, { loadKey: `r${i}` }, 100, 1);

    expect(told(scene)).toMatchObject({ count: 21, totalMs: 2_100 });
    expect(told(scene).recent).toHaveLength(20);
    expect(told(scene).recent.at(-1)).toEqual(["r0", "r1", 100, "model"]);
  });
});
