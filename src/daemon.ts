import { systemClock } from "./clock.ts";
import { type Config, readConfig } from "./config.ts";
import { ForemanError } from "./errors.ts";
import type { Foreman } from "./foreman.ts";
import { buffered, createLog, fatalLines, journal, type Log } from "./log.ts";
import { openStore } from "./open-store.ts";
import { type Notifier, noNotifier } from "./systemd/notifier.ts";
import { isJournal, readSupervision, type Supervision } from "./systemd/supervision.ts";
import { SystemdNotifier } from "./systemd/systemd-notifier.ts";

/** sysexits.h: a wrong setting, a damaged database, another foreman on the same database. */
const exitCodes: { readonly [code: string]: number } = {
  config_invalid: 78,
  already_running: 75,
  database_damaged: 65,
  schema_newer: 65,
  storage_failed: 74,
  storage_full: 74,
};

const exitUncaught = 70;

type Own = {
  readonly log: Log;
  readonly notifier: Notifier;
  readonly supervision: Supervision;
};

/** Where systemd-notify is, on every system that has it. */
const defaultPath = "/usr/bin:/bin";

/**
 * The process: settings, start, signals, exit codes. Exits 0 after a clean stop, 1 when a part did
 * not stop, 65 to 78 as above, 70 on an error that nobody foresaw.
 */
export async function runDaemon(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  try {
    const config = readConfig(env);
    const supervision = readSupervision(env, process.pid);
    const log = createLog(config.logLevel, supervision.isJournal ? journal() : buffered());
    const notifier = notifierFor(supervision.notifySocket, env.PATH, log);
    const starting = startForeman(config, { log, notifier, supervision });
    watchSignals(starting, log, notifier);
    await starting;
    process.on("uncaughtException", (cause) => fail(cause, log));
  } catch (cause) {
    const words = `foreman: ${describe(cause)}\n`;
    process.stderr.write(isJournal(env, 2) ? fatalLines(words) : words);
    process.exit(exitCodeOf(cause));
  }
}

async function startForeman(config: Config, own: Own): Promise<Foreman> {
  const { log } = own;
  const onFatal = (error: ForemanError) => fail(error, log);
  const opening = openStore(config, { log, clock: systemClock, onFatal });
  // Its failure is heard below.
  opening.catch(() => {});
  // The database is opened by other threads, while this one reads what all the rest is made of.
  const { buildForeman } = await import("./foreman.ts");
  const opened = await opening;
  try {
    const foreman = buildForeman(config, { ...own, ...opened });
    await foreman.start();
    return foreman;
  } catch (cause) {
    await opened.store.close();
    throw cause;
  }
}

/**
 * A service manager may send its signals as soon as it has heard that foreman is ready, which is
 * before foreman knows that it was heard; so they are taken from the beginning, and wait for the
 * end of the start.
 */
function watchSignals(starting: Promise<Foreman>, log: Log, notifier: Notifier): void {
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) {
      log.warn({ signal }, "second signal: exiting now");
      process.exit(1);
    }
    isStopping = true;
    const foreman = await starting;
    log.info({ signal }, "foreman draining");
    const orphans = await foreman.stop();
    if (orphans.length > 0) log.error({ orphans }, "foreman stopped, but not all of it");
    else log.info("foreman stopped");
    process.exit(orphans.length > 0 ? 1 : 0);
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));
  // A service manager's word for "read your settings again"; by default it would end the process.
  process.on("SIGHUP", async () => {
    const foreman = await starting;
    await notifier.notify("RELOADING=1");
    foreman.reload();
    await notifier.notify("READY=1");
  });
}

function notifierFor(socket: string | null, path: string | undefined, log: Log): Notifier {
  if (socket === null) return noNotifier;
  return new SystemdNotifier({ socket, path: path ?? defaultPath, log });
}

/** Says what went wrong, once, and ends the process: a daemon that limps helps nobody. */
function fail(cause: unknown, log: Log): never {
  log.fatal({ err: cause }, "foreman cannot go on");
  process.exit(exitCodeOf(cause));
}

function exitCodeOf(cause: unknown): number {
  return cause instanceof ForemanError ? (exitCodes[cause.code] ?? 1) : exitUncaught;
}

function describe(cause: unknown): string {
  if (cause instanceof ForemanError) return cause.message;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
