import { describe, expect, test } from "vitest";
import { digestOf, plainRunnerKey, runnerKeyOf } from "../../src/target/runner-key.ts";

describe("the runner's key", () => {
  test("is shared by aliases of one blob and parted by options that cause a reload", () => {
    const options = ['{"num_ctx":4096}', '{"num_ctx":8192}', ""];
    const keys = options.map((loadOptions) => runnerKeyOf("sha256:d1", loadOptions));

    expect(new Set(keys).size).toBe(3);
    expect(runnerKeyOf("sha256:d1", options[0]!)).toBe(keys[0]);
    expect(runnerKeyOf("sha256:d1", "")).toBe(plainRunnerKey("sha256:d1"));
    expect(runnerKeyOf("sha256:d2", options[0]!)).not.toBe(keys[0]);
  });

  test.each(["", '{"num_ctx":4096}', "num_ctx=4096 num_gpu=1"])(
    "tells its model whatever the options: %j",
    (loadOptions) => {
      expect(digestOf(runnerKeyOf("sha256:d1", loadOptions))).toBe("sha256:d1");
    },
  );
});
