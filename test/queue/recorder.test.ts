import { describe, expect, test } from "vitest";
import { ForemanError } from "../../src/errors.ts";
import { Recorder } from "../../src/queue/recorder.ts";
import type { TargetHead } from "../../src/target/target.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";

const head: TargetHead = { statusCode: 200, statusText: "OK", rawHeaders: [], isDelimited: true };
const notes = { jobId: "j", queuedMs: 5 };

function begun(bytesMax = 100): Recorder {
  const recorder = new Recorder(bytesMax);
  recorder.head(head, notes);
  recorder.chunk(Buffer.from("one "));
  return recorder;
}

describe("the answer of a job that nobody waits for", () => {
  test("is kept whole", () => {
    const recorder = begun();
    recorder.chunk(Buffer.from("two"));
    recorder.end();

    expect(recorder.answer?.body.toString()).toBe("one two");
    expect(recorder.answer?.head).toBe(head);
  });

  test("is heard from its beginning by whoever comes late, and live from then on", () => {
    const recorder = begun();
    const late = new RecordingWaiter();
    recorder.listen(late);
    recorder.chunk(Buffer.from("two"));
    recorder.end();

    expect(late.text).toBe("one two");
    expect(late.isOver).toBe(true);
  });

  test("goes on without a listener that left", () => {
    const recorder = begun();
    const leaver = new RecordingWaiter();
    recorder.listen(leaver);
    recorder.leave(leaver);
    recorder.chunk(Buffer.from("two"));

    expect(leaver.text).toBe("one ");
    expect(recorder.answer?.body.toString()).toBe("one two");
  });

  test("begins anew with another attempt, which is seen only if the last one was heard", () => {
    const recorder = begun();
    expect(recorder.hasAnswer).toBe(false);

    recorder.head(head, notes);
    recorder.chunk(Buffer.from("again"));
    recorder.listen(new RecordingWaiter());

    expect(recorder.answer?.body.toString()).toBe("again");
    expect(recorder.hasAnswer).toBe(true);
  });

  test("is told whole by the next attempt to who waits, and broken to who heard of the last", () => {
    const recorder = new Recorder(100);
    const [waits, heard] = [new RecordingWaiter(), new RecordingWaiter()];
    recorder.head(head, notes);
    recorder.listen(heard);
    recorder.forget();
    recorder.listen(waits);
    recorder.head(head, notes);
    recorder.chunk(Buffer.from("two"));
    recorder.end();

    expect([heard.text, heard.failure?.message]).toEqual(["", "the job begins anew; ask again"]);
    expect([waits.text, waits.failure]).toEqual(["two", null]);
  });

  test("is kept at its bound, and not past it, though listeners still hear it", () => {
    const atBound = begun(4);
    expect(atBound.answer?.body.toString()).toBe("one ");

    const listener = new RecordingWaiter();
    atBound.listen(listener);
    atBound.chunk(Buffer.from("x"));

    expect(atBound.isTooLarge).toBe(true);
    expect(atBound.answer).toBeNull();
    expect(listener.text).toBe("one x");
  });

  test("is heard to its end by who comes after it, before it is on the disk", () => {
    const recorder = begun();
    recorder.end();
    const late = new RecordingWaiter();

    recorder.listen(late);

    expect(late.text).toBe("one ");
    expect(late.isEnded).toBe(true);
  });

  test("ends badly for late listeners too", () => {
    const recorder = new Recorder(100);
    recorder.refuse(new ForemanError("cancelled", "cancelled"));
    const late = new RecordingWaiter();

    recorder.listen(late);

    expect(late.refusal?.message).toBe("cancelled");
  });

  test("comes with its head, to who listens live and to who comes late", () => {
    const recorder = new Recorder(100);
    const [live, late] = [new RecordingWaiter(), new RecordingWaiter()];
    recorder.listen(live);
    expect(recorder.hasAnswer).toBe(false);
    recorder.head(head, notes);
    recorder.listen(late);

    for (const waiter of [live, late]) {
      expect([waiter.statusCode, waiter.notes]).toEqual([200, notes]);
    }
    expect(recorder.hasAnswer).toBe(true);
  });

  test("is not begun for who comes when it has outgrown its bound", () => {
    const recorder = begun(3);
    const late = new RecordingWaiter();

    recorder.listen(late);

    expect(late.refusal).toMatchObject({ code: "internal" });
    expect(late.refusal?.message).toContain("too large to be told from its beginning");
    expect([late.statusCode, late.text]).toEqual([null, ""]);
  });

  test("is heard by nobody once its listeners have left, so that another attempt may come", () => {
    const recorder = begun();
    const leaver = new RecordingWaiter();
    recorder.listen(leaver);
    recorder.leave(leaver);
    expect([recorder.hasAnswer, recorder.listenerCount]).toEqual([false, 0]);

    const stayer = new RecordingWaiter();
    recorder.listen(stayer);
    recorder.forget();

    expect(stayer.failure).toMatchObject({ kind: "lost", afterHead: true });
    expect([recorder.hasAnswer, recorder.listenerCount]).toEqual([false, 0]);
  });

  test("fails for those who listen, once, and says whether its end marker had come", () => {
    const failure = { kind: "lost", message: "gone", afterHead: true, cause: null } as const;
    const told: unknown[] = [];
    const listener = new RecordingWaiter();
    listener.failed = (...words: unknown[]) => void told.push(words);
    const [whole, broken] = [begun(), begun()];
    for (const recorder of [whole, broken]) recorder.listen(listener);

    whole.failed(failure, true);
    whole.failed(failure, true);
    broken.failed(failure);

    expect(told).toEqual([
      [failure, true],
      [failure, false],
    ]);
    expect([whole.listenerCount, whole.hasAnswer]).toEqual([0, false]);
  });

  test("breaks off for whoever comes when it was cancelled midway, and ends like no whole one", () => {
    const recorder = begun();
    recorder.refuse(new ForemanError("cancelled", "the job was cancelled"));
    const late = new RecordingWaiter();
    recorder.listen(late);

    expect([late.text, late.isEnded, late.refusal]).toEqual(["one ", false, null]);
    expect(late.failure).toMatchObject({ afterHead: true, message: "the job was cancelled" });
  });
});
