import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { readConfig } from "../../src/config.ts";
import { buildForeman, type Overrides } from "../../src/foreman.ts";
import { createLog } from "../../src/log.ts";
import { openStore } from "../../src/open-store.ts";

export type RunningForeman = {
  readonly url: string;
  readonly port: number;
  readonly databaseFile: string;
  /** Everything that was logged, parsed. */
  readonly logged: readonly LogLine[];
  /** Drains and stops; answers the orphans. */
  stop(): Promise<readonly string[]>;
};

type LogLine = { readonly level: number; readonly msg: string } & Record<string, unknown>;

/**
 * The whole daemon in this process, on a free port and a database of its own, in front of the target
 * at `targetUrl`. Stopped and removed when the test ends.
 */
export async function startForeman(
  targetUrl: string,
  settings: Readonly<Record<string, string>> = {},
  overrides: Partial<Overrides> = {},
): Promise<RunningForeman> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-test-"));
  const config = readConfig({
    FOREMAN_ADDR: "127.0.0.1:0",
    FOREMAN_OLLAMA_URL: targetUrl,
    FOREMAN_DB: join(folder, "foreman.db"),
    FOREMAN_LOG_LEVEL: "debug",
    ...settings,
  });
  const logged: LogLine[] = [];
  const log = createLog(config.logLevel, {
    write: (line) => void logged.push(JSON.parse(line) as LogLine),
  });
  const onFatal = (error: Error) => {
    throw error;
  };
  const { clock = systemClock } = overrides;
  const opened = await openStore(config, { log, clock, onFatal });
  const foreman = buildForeman(config, { log, ...overrides, ...opened });
  await foreman.start();
  onTestFinished(async () => {
    await foreman.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url: `http://127.0.0.1:${foreman.port}`,
    port: foreman.port,
    databaseFile: config.databaseFile,
    logged,
    stop: () => foreman.stop(),
  };
}
