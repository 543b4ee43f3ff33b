/**
 * Client libraries as their users have them, each in a program that does not know of foreman: what
 * they make of its answers must be what they make of the target's own.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ClientProgram, type Line } from "../support/client-program.ts";
import { valueModuloTime } from "../support/modulo-time.ts";
import { startTwins } from "../support/twin-targets.ts";

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
const quick = { loadMs: 1, tokens: 6 };
const models = [
  { name: "llama3.2", ...quick, capabilities: ["completion", "tools"] as const },
  { name: "nomic-embed-text", ...quick, embeddingLength: 8, capabilities: ["embedding"] as const },
];

/** They need pip's packages; where those are missing they are skipped, but for CI, which has them. */
const lacksPython =
  !process.env.CI && spawnSync("python3", ["-c", "import ollama, openai"]).status !== 0;

/** To fetch and build their modules takes half a minute: `.ci/run` does it, with npm at work. */
const lacksGo = !process.env.TEST_GO_CLIENTS;

describe("answers as the target does", () => {
  test("Anthropic's SDK, LangChain.js, Vercel's AI SDK and the command line", async () => {
    const lines = await bothSides([process.execPath, program("sdk-matrix.mjs")]);

    expect(lines.through).toEqual(lines.direct);
    expect(lines.direct.length).toBe(18);
  }, 60_000);

  test.skipIf(lacksGo).each([
    ["Ollama's own client in Go", "ollama-api", 9],
    ["LangChain for Go", "langchain", 6],
  ] as const)(
    "%s",
    async (_, folder, lineCount) => {
      const lines = await bothSides(["go", "run", "-C", program("go-clients"), `./${folder}`]);

      expect(lines.through).toEqual(lines.direct);
      expect(lines.direct.length).toBe(lineCount);
    },
    180_000,
  );

  test.skipIf(lacksPython)(
    "ollama-python and openai-python",
    async () => {
      const lines = await bothSides(["python3", program("sdk_matrix.py")]);

      expect(lines.through).toEqual(lines.direct);
      expect(lines.direct.length).toBe(18);
    },
    60_000,
  );
});

async function bothSides(command: readonly [string, ...string[]]) {
  const { direct, foreman } = await startTwins({ models });
  const told = async (url: string): Promise<readonly Line[]> => {
    const client = new ClientProgram(command, url);
    expect(await client.code).toBe(0);
    return client.lines;
  };
  return {
    direct: valueModuloTime(await told(direct.url)) as readonly Line[],
    through: valueModuloTime(await told(foreman.url)) as readonly Line[],
  };
}
