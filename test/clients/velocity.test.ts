/**
 * Velocity's backend as two programs of its own, one in Python with httpx and one in Node, before a
 * daemon that is killed and started again while the batch runs.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ClientProgram, lacksHttpx } from "../support/client-program.ts";
import { KillScene } from "../support/kill-scene.ts";
import { overlaps } from "../support/sim-ollama/journal-queries.ts";
import { until } from "../support/until.ts";

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));

const programs: readonly (readonly [string, readonly [string, ...string[]]])[] = [
  ["Python with httpx", ["python3", program("velocity_backend.py")]],
  ["Node", [process.execPath, program("velocity-backend.mjs")]],
];

describe("Velocity's backend in", () => {
  for (const [name, command] of programs) {
    test.skipIf(command[0] === "python3" && lacksHttpx)(
      `${name} gets every result, though foreman dies in between`,
      async () => {
        const scene = await KillScene.open({ name: "qwen3.6:35b-a3b", tokenMs: 10, tokens: 6 });
        await scene.boot();

        const backend = new ClientProgram(command, scene.url);
        await until("the batch runs", () => scene.endCount >= 4, 30_000);
        await scene.kill();
        await scene.boot();
        const code = await backend.code;

        const ids = Array.from({ length: 12 }, (_each, i) => `req_${String(i).padStart(3, "0")}`);
        expect(backend.of("providers")?.ids).toContain("ollama");
        expect(backend.of("chat")).toMatchObject({ provider: "ollama", is_json: true });
        expect(backend.of("done")).toEqual({
          ...{ event: "done", status: "completed", counts: [12, 12, 0], is_same_job: true },
          ...{ request_ids: ids, are_json: true, are_lines_alike: true, is_one_alike: true },
        });
        expect(code).toBe(0);
        expect(overlaps(scene.events)).toEqual([]);
      },
    );
  }
});
