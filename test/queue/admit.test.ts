import { describe, expect, test } from "vitest";
import { admit } from "../../src/queue/admit.ts";

const closing = { since: "2026-11-28T09:00:00.000Z", by: "ops", note: "new disk" };
const quiet = { isDraining: false, closing: null, depth: 0, depthMax: 3, heldDepth: 0 };

describe("who may join the queue", () => {
  test.each([
    ["the last place that is left", { depth: 2 }, null],
    ["no place left", { depth: 3 }, "queue_full"],
    ["more waiting than may, as when jobs were put back", { depth: 9 }, "queue_full"],
    ["one whose model is missing, as such", { depth: 1, heldDepth: 1 }, null],
    ["one whose model is missing, while such have half", { depth: 2, heldDepth: 2 }, "queue_full"],
    ["the first whose model is missing", { depthMax: 1 }, null],
    ["a foreman that shuts down", { isDraining: true }, "draining"],
    ["a foreman that an operator drains", { closing }, "draining"],
    ["a full foreman that shuts down", { isDraining: true, depth: 3 }, "draining"],
  ])("%s", (_, facts, code) => {
    expect(admit({ ...quiet, ...facts })?.code ?? null).toBe(code);
  });

  test("is turned away in Ollama's words, with 503 and when to come back", () => {
    expect(admit({ ...quiet, depth: 3 })).toMatchObject({
      statusCode: 503,
      ollamaWords: "server busy, please try again.  maximum pending requests exceeded",
      message: "the queue is full: 3 clients wait, and FOREMAN_QUEUE_MAX is 3",
      retryAfterS: 10,
    });
    expect(admit({ ...quiet, depth: 2, heldDepth: 2 })?.message).toBe(
      "the queue is full: 2 clients wait for models that are missing, half of FOREMAN_QUEUE_MAX",
    );
    expect(admit({ ...quiet, closing })).toMatchObject({
      ollamaWords: expect.stringMatching(/^server busy, please try again/),
      message: "foreman is draining since 2026-11-28T09:00:00.000Z by ops: new disk",
      retryAfterS: 10,
    });
    expect(admit({ ...quiet, isDraining: true })).toMatchObject({
      statusCode: 503,
      retryAfterS: 10,
    });
  });
});
