import { describe, expect, test } from "vitest";
import { admit } from "../../src/queue/admit.ts";

const quiet = { isDraining: false, isOpen: true, depth: 0, depthMax: 3, heldDepth: 0 };

describe("who may join the queue", () => {
  test.each([
    ["the last place that is left", { depth: 2 }, null],
    ["no place left", { depth: 3 }, "queue_full"],
    ["more waiting than may, as when jobs were put back", { depth: 9 }, "queue_full"],
    ["one whose model is missing, as such", { depth: 1, heldDepth: 1 }, null],
    ["one whose model is missing, while such have half", { depth: 2, heldDepth: 2 }, "queue_full"],
    ["the first whose model is missing", { depthMax: 1 }, null],
    ["a foreman that shuts down", { isDraining: true }, "draining"],
    ["a foreman that an operator drains", { isOpen: false }, "draining"],
    ["a full foreman that shuts down", { isDraining: true, depth: 3 }, "draining"],
  ])("%s", (_, facts, code) => {
    expect(admit({ ...quiet, ...facts })?.code ?? null).toBe(code);
  });

  test("is turned away in Ollama's words, with 503 and when to come back", () => {
    expect(admit({ ...quiet, depth: 3 })).toMatchObject({
      statusCode: 503,
      message: "server busy, please try again.  maximum pending requests exceeded",
      retryAfterS: 10,
    });
    expect(admit({ ...quiet, isOpen: false })?.message).toMatch(/^server busy, please try again/);
    expect(admit({ ...quiet, isDraining: true })).toMatchObject({
      statusCode: 503,
      retryAfterS: 10,
    });
  });
});
