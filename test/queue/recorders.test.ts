import { describe, expect, test } from "vitest";
import type { Job } from "../../src/job.ts";
import { Recorders } from "../../src/queue/recorders.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";
import { aSubmission } from "./submission.ts";

const aJob = (model: string): Job => aSubmission({ model }).job;
const isM = (model: string) => model === "m";

describe("recorders", () => {
  test("count those who listen to such a model, and those on their way in", () => {
    const recorders = new Recorders(100);
    const [m, other, joining] = [aJob("m"), aJob("other"), aJob("m")];
    recorders.noteJoining(joining);
    recorders.noteJoining(aJob("other"));
    recorders.of(m).listen(new RecordingWaiter());
    recorders.of(m).listen(new RecordingWaiter());
    recorders.of(other).listen(new RecordingWaiter());
    recorders.of(aJob("m"));

    expect(recorders.listenersOf(isM)).toBe(3);
    recorders.noteJoined(joining);
    expect(recorders.listenersOf(isM)).toBe(2);
  });

  test("forget one that nobody hears, unless its job is in memory", () => {
    const recorders = new Recorders(100);
    const [gone, here] = [aJob("m"), aJob("m")];
    const [first, second] = [new RecordingWaiter(), new RecordingWaiter()];
    for (const job of [gone, here]) {
      recorders.of(job).listen(first);
      recorders.of(job).listen(second);
    }

    recorders.leave(gone.id, first, false);
    expect(recorders.find(gone.id)).not.toBeNull();
    recorders.leave(gone.id, second, false);
    for (const waiter of [first, second]) recorders.leave(here.id, waiter, true);
    recorders.leave(aJob("m").id, first, false);

    expect(recorders.find(gone.id)).toBeNull();
    expect(recorders.find(here.id)?.listenerCount).toBe(0);
    expect([...recorders.all()].map(([id]) => id)).toEqual([here.id]);
    recorders.forget(here.id);
    expect(recorders.find(here.id)).toBeNull();
  });

  test("give a job one recorder, with the bound that they were made with", () => {
    const recorders = new Recorders(2);
    const job = aJob("m");

    expect(recorders.of(job)).toBe(recorders.of(job));
    recorders
      .of(job)
      .head(
        { statusCode: 200, statusText: "OK", rawHeaders: [], isDelimited: true },
        { jobId: job.id, queuedMs: 0 },
      );
    recorders.of(job).chunk(Buffer.from("abc"));
    expect(recorders.of(job).isTooLarge).toBe(true);
  });
});
