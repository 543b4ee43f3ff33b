import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ask, chatBody, simFor } from "./ask.ts";
import { requestsTo, tokensSentAt } from "./journal-queries.ts";

const models = [{ name: "m", tokens: 3, tokenMs: 0, loadMs: 0 }];

describe("the journal", () => {
  test("keeps each request's head and the hash of its body", async () => {
    const sim = await simFor({ models });
    const body = JSON.stringify(chatBody("m"));

    await ask(sim, "POST", "/api/chat?x=1", body, ["X-Mine: yes"]);

    const [request] = requestsTo(sim.journal.events, "/api/chat");
    const bodySha256 = createHash("sha256").update(body).digest("hex");
    expect(request).toMatchObject({
      method: "POST",
      path: "/api/chat?x=1",
      model: "m",
      bodySha256,
    });
    expect(request?.rawHeaders).toEqual(expect.arrayContaining(["X-Mine", "yes"]));
  });

  test("tells the story of a request in order", async () => {
    const sim = await simFor({ models });

    await ask(sim, "POST", "/api/chat", chatBody("m"));

    expect(sim.journal.events.map(({ kind }) => kind)).toEqual([
      "up",
      "request",
      "load-start",
      "load-end",
      "generate-start",
      "token",
      "token",
      "token",
      "generate-end",
      "response-end",
    ]);
    const id = requestsTo(sim.journal.events, "/api/chat")[0]?.requestId ?? "";
    const times = tokensSentAt(sim.journal.events, id);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("is also a file, with every event in it as soon as it happened", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sim-journal-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "events.ndjson");
    const sim = await simFor({ models, journal: { file, tokens: false } });

    await ask(sim, "POST", "/api/chat", chatBody("m"));

    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(sim.journal.events);
    expect(lines.some((line) => line.includes('"token"'))).toBe(false);
  });

  test("counts what it has no room for", async () => {
    const sim = await simFor({ models, journal: { eventsMax: 2 } });

    await ask(sim, "GET", "/api/ps");

    expect([sim.journal.events.length, sim.journal.droppedCount]).toEqual([2, 1]);
  });
});
