import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StatusKeeper } from "../../../src/runtime/providers/status-keeper.ts";
import { ManualClock } from "../../support/manual-clock.ts";

type Step = number | "away" | "there" | `${number} of ${number} failed`;

/** The status after each step: a wait in ms, or news. */
async function statuses(steps: readonly Step[]): Promise<string[]> {
  const clock = new ManualClock();
  const keeper = new StatusKeeper(clock);
  let errors = { rate: 0, samples: 0 };
  const seen: string[] = [];
  for (const step of steps) {
    if (typeof step === "number") await clock.advance(step);
    else if (step === "away") keeper.noteAway();
    else if (step === "there") keeper.noteThere();
    else {
      const [failed = 0, samples = 0] = (step.match(/\d+/g) ?? []).map(Number);
      const rate = failed / samples;
      if (rate > errors.rate) keeper.noteFailed({ rate, samples });
      errors = { rate, samples };
    }
    seen.push(keeper.status(errors));
  }
  return seen;
}

const flaps: Step[] = Array.from({ length: 60 }, (_, i) => (i % 2 ? "away" : "there"));
const flapping = flaps.flatMap((step): Step[] => [step, 1_000]);

describe("a provider's status", () => {
  test.each<[string, readonly Step[], readonly string[]]>([
    ["1: is offline before it was heard of", [1_000_000], ["offline"]],
    ["1: is offline as soon as it is away", ["there", "away"], ["online", "offline"]],
    [
      "2: is offline until it has been back for 5 s",
      ["there", "away", "there", 4_999, 1],
      ["online", "offline", "offline", "offline", "degraded"],
    ],
    ["2: is online at once when it is seen for the first time", ["there"], ["online"]],
    [
      "3: is degraded until it has been back for 30 s",
      ["away", "there", 5_000, 24_999, 1],
      ["offline", "offline", "degraded", "degraded", "online"],
    ],
    [
      "4: is degraded when a quarter of four failed, and not of three",
      ["there", "1 of 3 failed", "0 of 3 failed", "1 of 4 failed"],
      ["online", "online", "online", "degraded"],
    ],
    [
      "4: is not when a little less failed",
      ["there", "24 of 100 failed", "25 of 100 failed"],
      ["online", "online", "degraded"],
    ],
    [
      "4: stays degraded while a tenth has failed, however long ago",
      ["there", "5 of 10 failed", "10 of 100 failed", 30_000, "9 of 100 failed"],
      ["online", "degraded", "degraded", "degraded", "online"],
    ],
    [
      "4: stays degraded for 30 s after the last failure, however many went well since",
      ["there", "5 of 10 failed", "0 of 200 failed", 29_999, 1],
      ["online", "degraded", "degraded", "degraded", "online"],
    ],
  ])("%s", async (_, steps, wanted) => {
    expect(await statuses(steps)).toEqual(wanted);
  });

  test("does not come and go with what comes and goes every second", async () => {
    const seen = await statuses(flapping);

    expect(seen.slice(2).every((status) => status === "offline")).toBe(true);
  });

  test("never turns better within 5 s of its having been away, whatever happens", async () => {
    const news = fc.constantFrom<Step>("away", "there", "5 of 10 failed", "0 of 90 failed");
    const steps = fc.array(fc.oneof(news, fc.integer({ min: 0, max: 8_000 })), { maxLength: 60 });
    const order = ["offline", "degraded", "online"];

    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const all: Step[] = ["there", ...given];
        const seen = await statuses(all);
        let nowMs = 0;
        let awayAtMs = Number.NEGATIVE_INFINITY;
        all.forEach((step, i) => {
          if (typeof step === "number") nowMs += step;
          if (step === "away") awayAtMs = nowMs;
          const [before = "online", after = "offline"] = seen.slice(Math.max(0, i - 1), i + 1);
          const isBetter = i > 0 && order.indexOf(after) > order.indexOf(before);
          if (isBetter) expect(nowMs - awayAtMs).toBeGreaterThanOrEqual(5_000);
        });
      }),
    );
  });
});
