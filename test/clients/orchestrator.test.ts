/**
 * An orchestrator's loop of chat, tool calls and embeddings over the OpenAI routes, in Node with the
 * openai package and in Python with httpx: through foreman it goes as with the target itself, though
 * foreman is killed in between, and the people in it are served one at a time.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ClientProgram, lacksHttpx } from "../support/client-program.ts";
import { KillScene } from "../support/kill-scene.ts";
import { overlaps } from "../support/sim-ollama/journal-queries.ts";
import { until } from "../support/until.ts";

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));

const programs: readonly (readonly [string, readonly [string, ...string[]]])[] = [
  ["Python with httpx", ["python3", program("orchestrator.py")]],
  ["Node with the openai package", [process.execPath, program("orchestrator.mjs")]],
];

describe("an orchestrator in", () => {
  for (const [name, command] of programs) {
    test.skipIf(command[0] === "python3" && lacksHttpx)(
      `${name} ends each conversation as with the target itself, though foreman dies`,
      async () => {
        const model = { tokenMs: 10, tokens: 8, capabilities: ["completion", "tools"] as const };
        const scene = await KillScene.open(model);
        const direct = new ClientProgram(command, scene.sim.url);
        expect(await direct.code).toBe(0);
        scene.sim.journal.clear();
        await scene.boot();

        const through = new ClientProgram(command, scene.url);
        await until("some have had an answer", () => scene.endCount >= 3, 30_000);
        await scene.kill();
        await scene.boot();

        expect(await through.code).toBe(0);
        expect(direct.lines).toHaveLength(5);
        for (const line of direct.lines) {
          expect(line).toMatchObject({ turns: 2, calls: ["search_knowledge"] });
        }
        expect(through.lines).toEqual(direct.lines);
        expect(overlaps(scene.events)).toEqual([]);
      },
    );
  }
});
