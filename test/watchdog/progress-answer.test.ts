import { describe, expect, onTestFinished, test } from "vitest";
import { Effort } from "../../src/watchdog/effort.ts";
import { askWithProgress } from "../../src/watchdog/progress-answer.ts";
import { FakeTarget } from "../support/fake-target.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** A pull under way; the test says what the target answers. */
async function pulling() {
  const clock = new ManualClock();
  const target = new FakeTarget();
  const percents: (number | null)[] = [];
  const effort: Effort = new Effort({ clock, onProgress: () => percents.push(effort.percent) });
  onTestFinished(() => effort.over());
  const request = { path: "/api/pull", document: { model: "m" }, step: "pulling" } as const;
  const over = askWithProgress(target, request, effort).then(
    () => "done",
    (error: Error) => error.message,
  );
  await clock.settle();
  return { asked: target.latest("/api/pull"), effort, over, percents };
}

describe("an answer of progress", () => {
  test("counts the bytes of all its layers, wherever its lines are cut", async () => {
    const { asked, over, percents } = await pulling();
    const lines = [
      '{"status":"pulling manifest"}',
      '{"status":"pulling a","digest":"sha256:a","total":100}',
      '{"status":"pulling a","digest":"sha256:a","total":100,"completed":50}',
      '{"status":"pulling b","digest":"sha256:b","total":100,"completed":100}',
      '{"status":"success"}',
    ].join("\n");

    asked.head();
    for (const letter of lines) asked.chunk(letter);
    asked.end();

    expect(await over).toBe("done");
    expect(percents).toEqual([null, 0, 50, 75]);
  });

  test.each([
    ['{"error":"pull model manifest: file does not exist"}', "file does not exist"],
    ['{"status":400,"error":"digest mismatch"}', "digest mismatch"],
    ["<html>502</html>", "<html>502"],
    ['{"status":"verifying"}', "without success"],
    ["", "without success"],
  ])("that ends with %j is an error in those words", async (line, words) => {
    const { asked, over } = await pulling();

    asked.head().chunk(line).end();

    expect(await over).toContain(words);
  });

  test("that breaks off is an error", async () => {
    const { asked, over } = await pulling();

    asked.head().chunk('{"status":"success"').fail("lost");

    expect(await over).toContain("the target is lost");
  });

  test("is left at once when the effort ends", async () => {
    const { asked, effort, over } = await pulling();

    effort.stop();

    expect(await over).toBe("foreman stops");
    expect(asked.isAborted).toBe(true);
  });
});
