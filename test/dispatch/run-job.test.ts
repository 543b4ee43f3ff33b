import { describe, expect, test } from "vitest";
import { lastLine, startRun } from "./run-scene.ts";

const part = '{"message":{"content":"a"},"done":false}\n';

describe("a job that is run", () => {
  test("sends the client's own bytes, and passes the answer on as it comes", () => {
    const { asked, outcomes, seen, waiter, waiting } = startRun();
    expect(asked.request).toEqual({
      method: "POST",
      path: "/api/chat",
      rawHeaders: waiting.rawHeaders,
      body: waiting.body,
    });

    asked.head().chunk(part);
    expect(waiter).toMatchObject({ statusCode: 200, text: part, isEnded: false });
    expect(waiter.notes).toEqual({ jobId: waiting.job.id, queuedMs: 250 });
    expect(seen.workingCount).toBe(1);

    asked.chunk(lastLine).end();
    expect(waiter).toMatchObject({ text: part + lastLine, isEnded: true, failure: null });
    expect(outcomes).toEqual([
      {
        kind: "ended",
        took: expect.objectContaining({ loadMs: 2 }),
        ending: {
          ...{ state: "done", reason: null, message: null, statusCode: 200 },
          ...{ promptTokens: 11, completionTokens: 22 },
        },
      },
    ]);
  });

  test.each([
    [404, "target_refused"],
    [429, "target_failed"],
    [499, "target_refused"],
    [500, "target_failed"],
    [503, "target_failed"],
  ])("gives the client the target's own %i, and is recorded as %s", (statusCode, reason) => {
    const { asked, outcomes, waiter } = startRun();

    asked.json({ error: "the target's words" }, statusCode);

    expect(waiter).toMatchObject({ statusCode, isEnded: true, failure: null });
    expect(waiter.text).toContain("the target's words");
    expect(outcomes).toMatchObject([{ ending: { state: "failed", reason, statusCode } }]);
  });
});

describe("an answer that is not whole", () => {
  test("is not done though it ended cleanly, and an undelimited one breaks visibly", () => {
    const { asked, outcomes, waiter } = startRun();

    asked.head({ isDelimited: false }).chunk(part).end();

    expect(waiter).toMatchObject({ isEnded: false, failure: { kind: "lost", afterHead: true } });
    expect(outcomes).toMatchObject([{ ending: { state: "failed", reason: "incomplete_answer" } }]);
  });

  test("is passed on as it is when the target ended it in form, and is not done either", () => {
    const { asked, outcomes, waiter } = startRun();

    asked.head({ isDelimited: true }).chunk(part).end();

    expect(waiter).toMatchObject({ isEnded: true, failure: null });
    expect(outcomes).toMatchObject([{ ending: { state: "failed", reason: "incomplete_answer" } }]);
  });

  test("ends for the reason that the target wrote into its last line", () => {
    const { asked, outcomes, waiter } = startRun();

    asked.head({ isDelimited: true }).chunk(`${part}{"error":"out of memory"}\n`).end();

    expect(waiter.text).toContain("out of memory");
    expect(outcomes).toMatchObject([
      {
        ending: {
          ...{ state: "failed", reason: "target_failed" },
          message: expect.stringContaining("out of memory"),
        },
      },
    ]);
  });

  test("breaks off at the client when the connection died, and is never tried again", () => {
    const { asked, outcomes, waiter } = startRun();

    asked.head().chunk(part).fail("lost", "socket hang up");

    expect(waiter.failure).toMatchObject({ kind: "lost", afterHead: true });
    expect(outcomes).toMatchObject([
      {
        kind: "ended",
        ending: { reason: "target_lost", message: expect.stringContaining("socket hang up") },
      },
    ]);
  });

  test("counts as done when the connection died after the end mark", () => {
    const { asked, outcomes } = startRun();

    asked.head().chunk(lastLine).fail("lost");

    expect(outcomes).toMatchObject([{ ending: { state: "done", completionTokens: 22 } }]);
  });
});

describe("a target that gave no answer", () => {
  test("that could not be reached costs no attempt, however often", () => {
    const { asked, outcomes, waiter } = startRun({ attempts: 3, attemptsMax: 3 });

    asked.fail("unreachable");

    expect(outcomes).toMatchObject([
      { kind: "put-back", putBack: { counted: false, why: "target_away" } },
    ]);
    expect(waiter.isOver).toBe(false);
  });

  test("that hung up is tried again unseen, up to the last attempt", () => {
    const early = startRun({ attempts: 2, attemptsMax: 3 });
    early.asked.fail("lost");
    expect(early.outcomes).toMatchObject([
      { kind: "put-back", putBack: { counted: true, why: "target_lost" } },
    ]);
    expect(early.waiter.isOver).toBe(false);

    const last = startRun({ attempts: 3, attemptsMax: 3 });
    last.asked.fail("lost");
    expect(last.outcomes).toMatchObject([{ kind: "ended", ending: { reason: "target_lost" } }]);
    expect(last.waiter.failure).toMatchObject({ afterHead: false });
  });

  test("that spoke no HTTP is not asked again", () => {
    const { asked, outcomes, waiter } = startRun();

    asked.fail("malformed");

    expect(outcomes).toMatchObject([{ kind: "ended", ending: { state: "failed" } }]);
    expect(waiter.failure?.kind).toBe("malformed");
  });
});
