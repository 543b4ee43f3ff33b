import { describe, expect, test } from "vitest";
import {
  type Pause,
  pauseOn,
  rulesOf,
  withoutPauses,
  withPause,
} from "../../src/controls/pauses.ts";
import { canonicalModelName } from "../../src/target/model-name.ts";

type Scope = Partial<Pick<Pause, "class" | "model">>;

const paused = (scope: Scope, by = "ann"): Pause => ({
  ...{ class: null, model: null, note: null },
  ...{ since: "2026-11-24T19:00:00.000Z", by, ...scope },
});

const all = paused({});
const batch = paused({ class: "batch" });
const qwen = paused({ model: "Qwen3:latest" });
const batchOfQwen = paused({ class: "batch", model: "qwen3" });

describe("which work is paused", () => {
  test.each<[string, readonly Pause[], "interactive" | "batch", string, Pause | null]>([
    ["nothing", [], "batch", "qwen3", null],
    ["all", [all], "interactive", "qwen3", all],
    ["its class", [batch], "batch", "qwen3", batch],
    ["the other class", [batch], "interactive", "qwen3", null],
    ["its model, however it is spelled", [qwen], "interactive", "qwen3", qwen],
    ["another model", [qwen], "interactive", "qwen3:8b", null],
    ["its model in its class", [batchOfQwen], "batch", "qwen3:latest", batchOfQwen],
    ["its model in the other class", [batchOfQwen], "interactive", "qwen3", null],
    ["first by whom was first", [batch, all], "batch", "qwen3", batch],
  ])("%s", (_, pauses, jobClass, model, expected) => {
    const work = { class: jobClass, model: canonicalModelName(model) };

    expect(pauseOn(rulesOf(pauses), work)).toBe(expected);
  });
});

describe("what is resumed", () => {
  const every = [all, batch, qwen, batchOfQwen];

  test.each<[string, Scope, readonly Pause[]]>([
    ["everything, where nothing is named", {}, []],
    ["all within a class", { class: "batch" }, [all, qwen]],
    ["all of a model", { model: "QWEN3" }, [all, batch]],
    ["a model in a class", { class: "batch", model: "qwen3" }, [all, batch, qwen]],
    ["nothing, where nothing of it was paused", { class: "interactive" }, every],
  ])("%s", (_, scope, left) => {
    expect(withoutPauses(every, { class: null, model: null, ...scope })).toEqual(left);
  });

  test("pausing again what is paused leaves it with whoever was first", () => {
    expect(withPause([qwen], paused({ model: "qwen3" }, "bob"))).toEqual([qwen]);
  });
});
