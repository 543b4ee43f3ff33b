import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Blueprint, readBlueprint } from "../../src/wire/blueprint.ts";
import { effectiveLoad } from "../../src/wire/effective-load.ts";
import { canonicalOption } from "../../src/wire/load-options.ts";
import { showReply } from "../../src/wire/ollama.ts";
import { needsReload, readRunOptions } from "../support/sim-ollama/load-options.ts";
import { completeModel, type ModelSpec } from "../support/sim-ollama/model-spec.ts";
import { showAnswer } from "../support/sim-ollama/model-views.ts";
import { aBlueprint } from "../target/blueprint-scene.ts";

const withParameters = (parameters: Record<string, string>) =>
  aBlueprint({ parameters: new Map(Object.entries(parameters)) as Blueprint["parameters"] });

describe("what a runner is started with", () => {
  test.each([
    ["nothing", "", {}, ""],
    ["the request's", "num_ctx=4096", {}, "num_ctx=4096"],
    ["the Modelfile's", "", { num_ctx: "8192" }, "num_ctx=8192"],
    ["the request's over the Modelfile's", "num_ctx=4096", { num_ctx: "8192" }, "num_ctx=4096"],
    ["both, each its own", "num_thread=2", { num_ctx: "8192" }, "num_ctx=8192,num_thread=2"],
    ["the Modelfile's under a null", "num_ctx=null", { num_ctx: "8192" }, "num_ctx=8192"],
    ["a null that chooses the default", "num_ctx=null", {}, "num_ctx=null"],
    ["a null of the Modelfile", "", { num_batch: "null" }, "num_batch=null"],
    ["the request's over such a null", "num_batch=64", { num_batch: "null" }, "num_batch=64"],
    ["no num_gpu below 0, which takes what is there", "num_gpu=-1", { num_gpu: "20" }, ""],
    ["what is not said", "main_gpu=null,use_mmap=null,num_thread=null,num_gpu=null", {}, ""],
    ["the default said", "num_thread=0,draft_num_predict=0,shift=true", {}, ""],
    ["four drafts for a null", "draft_num_predict=null", {}, "draft_num_predict=4"],
    ["a shift that is switched off", "shift=false", {}, "shift=false"],
    ["what could not be read", "unread", { num_ctx: "8192" }, "unread"],
  ])("is %s", (_, asked, parameters, started) => {
    expect(effectiveLoad(asked, withParameters(parameters))).toBe(started);
  });

  test.each([
    ["num_ctx=99999", "num_ctx=2048"],
    ["num_ctx=2048", "num_ctx=2048"],
    ["num_ctx=2047", "num_ctx=2047"],
    ["num_ctx=5", "num_ctx=5"],
    ["num_ctx=3", "num_ctx=4"],
    ["num_ctx=-1", "num_ctx=4"],
  ])("keeps to what the model was trained for: %s is %s", (asked, started) => {
    expect(effectiveLoad(asked, aBlueprint({ contextMax: 2_048 }))).toBe(started);
  });

  test("has a context of 2,048 at least with images", () => {
    const seer = aBlueprint({ contextMin: 2_048 });

    expect(effectiveLoad("num_ctx=100", seer)).toBe("num_ctx=2048");
    expect(effectiveLoad("", seer)).toBe("");
  });

  test("drafts four tokens with a draft model, unless told otherwise", () => {
    const drafting = aBlueprint({ hasDraft: true });

    expect(effectiveLoad("", drafting)).toBe("draft_num_predict=4");
    expect(effectiveLoad("draft_num_predict=0", drafting)).toBe("");
  });

  test("does not shift a family that cannot, unless told to", () => {
    const deep = aBlueprint({ isShifting: false });

    expect(effectiveLoad("", deep)).toBe("shift=false");
    expect(effectiveLoad("shift=true", deep)).toBe("");
  });
});

// The simulator's rules stand for Ollama's: they were held against the real scheduler
// (sim-ollama/reload.test.ts).
describe("two requests for the same blobs", () => {
  const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    num_ctx: fc.constantFrom(null, -1, 2, 4, 512, 1_024.7, 2_048, 4_096, 99_999),
    num_batch: fc.constantFrom(null, 64, 512),
    num_gpu: fc.constantFrom(null, -1, 0, 20),
    main_gpu: fc.constantFrom(null, 0, 1),
    use_mmap: fc.constantFrom(null, true, false),
    num_thread: fc.constantFrom(null, 0, 8),
    draft_num_predict: fc.constantFrom(null, 0, 4, 8),
    temperature: fc.constantFrom(0, 1),
  };
  const options = fc.record(values, { requiredKeys: [] });
  const parts = {
    parameters: options,
    draft: fc.constantFrom("", "d".repeat(64)),
    options,
    shift: fc.constantFrom(null, true, false),
  };
  // What follows from the blobs alone is equal in both.
  const blobs = fc.record({
    family: fc.constantFrom("llama", "deepseek2"),
    capabilities: fc.constantFrom(["completion"] as const, ["completion", "vision"] as const),
  });
  // By chance two seldom agree, so the other one differs in no more than some parts.
  const pair = fc.record({
    blobs,
    one: fc.record(parts),
    changes: fc.record(parts, { requiredKeys: [] }),
  });

  type Request = {
    readonly parameters: Record<string, unknown>;
    readonly draft: string;
    readonly options: Record<string, unknown>;
    readonly shift: boolean | null;
  };

  /** What foreman and the simulator make of a request; the target's own default is 1,024. */
  const judge = (request: Request, facts: Partial<ModelSpec>) => {
    const { draft, parameters, shift } = request;
    const made = { name: "m", blob: "b".repeat(64), contextLength: 2_048, draft, parameters };
    const model = completeModel({ ...made, ...facts }, 0);
    const run = readRunOptions(model, request.options, 1_024, shift);
    if (run.kind === "error") throw new Error(run.message);
    const blueprint = readBlueprint(showReply.parse(showAnswer(model, null)));
    const asked = Object.entries(request.options)
      .filter(([name]) => name !== "temperature")
      .map(([name, value]) => `${name}=${canonicalOption(value)}`)
      .concat(shift === null ? [] : [`shift=${shift}`]);
    return { model, load: run.load, text: effectiveLoad(asked.join(), blueprint!) };
  };

  const hasNull = ({ options: own, parameters }: Request) =>
    [own, parameters].some((each) => each.num_ctx === null || each.num_batch === null);

  test("have equal texts only if neither reloads after the other", () => {
    const isSound = fc.property(pair, ({ blobs: facts, changes, one }) => {
      const [first, second] = [judge(one, facts), judge({ ...one, ...changes }, facts)];
      if (first.text !== second.text) return;

      expect(needsReload(first, second) || needsReload(second, first)).toBe(false);
    });

    fc.assert(isSound, { numRuns: 5_000 });
  });

  test("have other texts only if one reloads after the other, or Ollama chose what one asks", () => {
    const isComplete = fc.property(pair, ({ blobs: facts, changes, one }) => {
      const other = { ...one, ...changes };
      const [first, second] = [judge(one, facts), judge(other, facts)];
      const isChosen = first.load.isCtxAuto !== second.load.isCtxAuto;
      if (first.text === second.text || isChosen || hasNull(one) || hasNull(other)) return;

      expect(needsReload(first, second) || needsReload(second, first)).toBe(true);
    });

    fc.assert(isComplete, { numRuns: 5_000 });
  });
});
