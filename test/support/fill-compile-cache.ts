import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCache } from "./compile-cache.ts";
import { DaemonLife } from "./daemon-life.ts";
import { until } from "./until.ts";

const startedMsMax = 30_000;

/** Fills the cache unless there is one: Node writes it at an orderly exit, which a kill is not. */
export async function fillCompileCache(): Promise<void> {
  if (existsSync(compileCache)) return;
  const folder = await mkdtemp(join(tmpdir(), "foreman-cache-"));
  const daemon = new DaemonLife({
    FOREMAN_ADDR: "127.0.0.1:0",
    FOREMAN_DB: join(folder, "foreman.db"),
  });
  const listens = () => daemon.isOver || daemon.saysListening;
  await until("a first daemon listens", listens, startedMsMax);
  daemon.kill("SIGTERM");
  await daemon.exited();
  await rm(folder, { recursive: true, force: true });
}

/** As vitest calls it, before the first test. */
export const setup = fillCompileCache;
