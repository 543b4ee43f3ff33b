import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readModelfile } from "../../src/watchdog/read-modelfile.ts";
import { recipeAt } from "../../src/watchdog/recipe.ts";
import { folderWith } from "../support/watchdog-scene.ts";

describe("a Modelfile", () => {
  test.each([
    ["FROM ./m.gguf", [{ kind: "from", name: "", value: "./m.gguf" }]],
    ["from  m:7b  ", [{ kind: "from", name: "", value: "m:7b" }]],
    ["# a\n\n  FROM m\r\n#b", [{ kind: "from", name: "", value: "m" }]],
    ['SYSTEM "two\nlines"', [{ kind: "system", name: "", value: "two\nlines" }]],
    [
      'SYSTEM """a "quoted"\n\nword"""\n',
      [{ kind: "system", name: "", value: 'a "quoted"\n\nword' }],
    ],
    ['SYSTEM """"""', [{ kind: "system", name: "", value: "" }]],
    ['TEMPLATE {{ .Prompt }}"', [{ kind: "template", name: "", value: '{{ .Prompt }}"' }]],
    ["PARAMETER num_ctx 4096", [{ kind: "parameter", name: "num_ctx", value: "4096" }]],
    ['PARAMETER stop "<|im end|>"', [{ kind: "parameter", name: "stop", value: "<|im end|>" }]],
    ["MESSAGE user Hello there", [{ kind: "message", name: "user", value: "Hello there" }]],
    ["\uFEFFFROM m", [{ kind: "from", name: "", value: "m" }]],
  ])("%j is read as Ollama reads it", (text, commands) => {
    expect(readModelfile(text)).toEqual(commands);
  });

  test.each([
    ["FROM m\nFRUM n", "line 2"],
    ['FROM m\nSYSTEM """open', "line 2"],
    ["just words", "line 1"],
  ])("%j is refused with its line", (text, line) => {
    expect(() => readModelfile(text)).toThrow(line);
  });
});

describe("a model's files", () => {
  test("may be one GGUF file, or a folder of them", async () => {
    const folder = await folderWith({ "b.gguf": "GGUF", "a.gguf": "GGUF", "notes.txt": "" });

    const one = await recipeAt(join(folder, "a.gguf"));
    const all = await recipeAt(folder);

    expect(one).toEqual({ files: [{ path: join(folder, "a.gguf"), role: "files" }], request: {} });
    expect(all?.files.map(({ path }) => path)).toEqual([
      join(folder, "a.gguf"),
      join(folder, "b.gguf"),
    ]);
  });

  test("may have a Modelfile that says what each is, and how the model speaks", async () => {
    const folder = await folderWith({
      "m.gguf": "GGUF",
      "lora.gguf": "GGUF",
      Modelfile: [
        "FROM m.gguf",
        "ADAPTER ./lora.gguf",
        "PARAMETER temperature 0.5",
        "PARAMETER use_mmap false",
        "PARAMETER stop <a>",
        "PARAMETER stop 7",
        "MESSAGE user hi",
        "LICENSE free",
        "RENDERER qwen",
      ].join("\n"),
    });

    expect(await recipeAt(folder)).toEqual({
      files: [
        { path: join(folder, "m.gguf"), role: "files" },
        { path: join(folder, "lora.gguf"), role: "adapters" },
      ],
      request: {
        renderer: "qwen",
        parameters: { temperature: 0.5, use_mmap: false, stop: ["<a>", "7"] },
        messages: [{ role: "user", content: "hi" }],
        license: ["free"],
      },
    });
  });

  test("may build upon a model that the target has", async () => {
    const folder = await folderWith({ Modelfile: "FROM llama3:8b\nSYSTEM brief" });

    expect(await recipeAt(folder)).toEqual({
      files: [],
      request: { from: "llama3:8b", system: "brief" },
    });
  });

  test("that are not there are no model; a folder without any, or with a half one, is an error", async () => {
    const folder = await folderWith({ "sub/Modelfile": "FROM ./gone.gguf" });

    expect(await recipeAt(join(folder, "nothing"))).toBeNull();
    await expect(recipeAt(folder)).rejects.toThrow("neither a Modelfile nor a .gguf");
    await expect(recipeAt(join(folder, "sub"))).rejects.toThrow("gone.gguf, which is not there");
  });
});
