import { describe, expect, test } from "vitest";
import { collect } from "../../src/target/collect.ts";
import type { TargetRequest } from "../../src/target/target.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { ManualClock } from "../support/manual-clock.ts";

const request: TargetRequest = { method: "GET", path: "/api/tags", rawHeaders: [], body: null };

describe("collecting a small answer", () => {
  test("gives its head and all its bytes, in order", async () => {
    const target = new FakeTarget((asked) =>
      asked.head({ statusCode: 404 }).chunk("no ").chunk("").chunk("model").end(),
    );

    const answer = await collect(target, request, { bodyBytesMax: 100 });

    expect(answer).toMatchObject({ kind: "answer", head: { statusCode: 404 } });
    expect(answer.kind === "answer" && answer.body.toString()).toBe("no model");
  });

  test("takes an answer of just the bound", async () => {
    const target = new FakeTarget((asked) => asked.head().chunk("12345").chunk("67890").end());

    expect(await collect(target, request, { bodyBytesMax: 10 })).toMatchObject({ kind: "answer" });
  });

  test("closes the connection at the first byte past the bound", async () => {
    const target = new FakeTarget((asked) => asked.head().chunk("1234567890").chunk("!"));

    expect(await collect(target, request, { bodyBytesMax: 10 })).toEqual({ kind: "too-large" });
    expect(target.asked[0]?.isAborted).toBe(true);
  });

  test("answers a failure as a failure, before and after the head", async () => {
    const refused = new FakeTarget((asked) => asked.fail("unreachable"));
    const broken = new FakeTarget((asked) => asked.head().chunk("{").fail("lost"));

    expect(await collect(refused, request, { bodyBytesMax: 9 })).toMatchObject({
      kind: "failed",
      failure: { kind: "unreachable", afterHead: false },
    });
    expect(await collect(broken, request, { bodyBytesMax: 9 })).toMatchObject({
      kind: "failed",
      failure: { kind: "lost", afterHead: true },
    });
  });

  test.each(["before", "after"])("is cut by a signal that came %s it began", async (when) => {
    const target = new FakeTarget();
    const cut = new AbortController();
    if (when === "before") cut.abort();
    const collecting = collect(target, request, { bodyBytesMax: 9, signal: cut.signal });
    cut.abort();

    expect(await collecting).toMatchObject({ kind: "failed", failure: { kind: "aborted" } });
    expect(target.asked[0]?.isAborted).toBe(true);
  });

  test("waits no longer than its limit, says so, and leaves no timer behind", async () => {
    const clock = new ManualClock();
    const limit = { clock, ms: 5_000 };
    const silent = new FakeTarget((asked) => asked.head().chunk("{"));
    const late = collect(silent, request, { bodyBytesMax: 9, limit });
    await clock.advance(4_999);
    expect(silent.asked[0]?.isAborted).toBe(false);
    await clock.advance(1);

    const message = "no answer within 5 s";
    expect(await late).toMatchObject({ kind: "failed", failure: { kind: "aborted", message } });
    expect(silent.asked[0]?.isAborted).toBe(true);

    const quick = new FakeTarget((asked) => asked.json({}));
    await collect(quick, request, { bodyBytesMax: 9, limit });
    const refused = new FakeTarget((asked) => asked.fail("unreachable"));
    await collect(refused, request, { bodyBytesMax: 9, limit });
    expect(clock.pendingCount).toBe(0);
  });
});
