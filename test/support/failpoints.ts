import { rmSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { KillScene } from "./kill-scene.ts";
import { until } from "./until.ts";

/** Settings of a daemon that dies where `arm` says: see fail-at-point.ts. */
export const mayFailAtPoint = {
  NODE_OPTIONS: `--import=${new URL("./fail-at-point.ts", import.meta.url)}`,
};

const diedMsMax = 10_000;

/** From now on the daemon dies at this point, such as `settle before`. */
export function arm({ file }: KillScene, point: string): void {
  writeFileSync(`${file}.failpoint`, point);
}

/** The daemon has died at the point that was armed, and at no other. Disarms it. */
export async function diedAt(scene: KillScene, point: string): Promise<void> {
  const lastWords = `failpoint: ${point}\n`;
  // Not at its end: a line of the log may come by the other pipe, and later.
  await until(`it dies at "${point}"`, () => scene.daemon.output.includes(lastWords), diedMsMax);
  await scene.killed();
  expect(scene.daemon.output.split("failpoint: ")).toHaveLength(2);
  rmSync(`${scene.file}.failpoint`);
}
