import { fstatSync } from "node:fs";
import { ForemanError } from "../errors.ts";

/** What a service manager passed on by the environment; see sd_notify(3), sd_listen_fds(3). */
export type Supervision = {
  /** Where it wants to be told how the service fares; null: nowhere. */
  readonly notifySocket: string | null;
  /** It ends a service that has not said within so many ms that it lives; null: it does not. */
  readonly watchdogMs: number | null;
  /** A socket that it listens on in foreman's stead; null: foreman listens itself. */
  readonly listenFd: number | null;
  /** Whether stdout is the journal's, which reads a line's priority off its beginning. */
  readonly isJournal: boolean;
};

/** SD_LISTEN_FDS_START of sd-daemon.h. */
const firstFd = 3;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads what the manager passed on to this process, and leaves alone what was meant for another:
 * variables are inherited by children to whom they do not apply.
 *
 * @param pid this process's own
 * @throws ForemanError `config_invalid` if it passed on more than one socket
 */
export function readSupervision(env: Environment, pid: number): Supervision {
  const isMeant = (name: string) => env[name] === undefined || env[name] === String(pid);
  const watchdogUs = isMeant("WATCHDOG_PID") ? Number(env.WATCHDOG_USEC) : 0;
  return {
    notifySocket: env.NOTIFY_SOCKET || null,
    watchdogMs: watchdogUs > 0 ? watchdogUs / 1_000 : null,
    listenFd: env.LISTEN_PID === String(pid) ? listenFdOf(Number(env.LISTEN_FDS)) : null,
    isJournal: isJournal(env, 1),
  };
}

function listenFdOf(count: number): number | null {
  if (count > 1) {
    throw new ForemanError(
      "config_invalid",
      `foreman.socket passes on ${count} sockets, and foreman listens on one: ` +
        "keep one ListenStream=",
    );
  }
  return count === 1 ? firstFd : null;
}

/**
 * Whether what is written to `fd` comes to the journal. JOURNAL_STREAM is device:inode of what
 * systemd connected, which a shell may have redirected.
 */
export function isJournal(env: Environment, fd: 1 | 2): boolean {
  if (env.JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return env.JOURNAL_STREAM === `${dev}:${ino}`;
}
