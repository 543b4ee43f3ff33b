import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { causeText } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Assignment, Notifier } from "./notifier.ts";

const run = promisify(execFile);

/** It waits for the manager to have read the message, 5 s at most; a machine in trouble is slow. */
const toldMsMax = 10_000;

type SystemdNotifierOptions = {
  /** NOTIFY_SOCKET: a path, or an abstract name that begins with @. */
  readonly socket: string;
  /** Where programs are looked for. */
  readonly path: string;
  readonly log: Log;
};

/**
 * Tells systemd by its own `systemd-notify`, for Node has no datagram sockets of the local kind.
 * A call takes some 11 ms, of which the event loop stands still for 4 (measured on a busy machine),
 * a few times a minute; a native module that could do without it wants a compiler at each install.
 * The unit has to say NotifyAccess=all: it is a child that speaks.
 */
export class SystemdNotifier implements Notifier {
  readonly #options: SystemdNotifierOptions;
  #last: Promise<void> = Promise.resolve();
  #isDeaf = false;

  constructor(options: SystemdNotifierOptions) {
    this.#options = options;
  }

  notify(...assignments: readonly Assignment[]): Promise<void> {
    this.#last = this.#last.then(() => this.#tell(assignments));
    return this.#last;
  }

  async #tell(assignments: readonly Assignment[]): Promise<void> {
    const { log, path, socket } = this.#options;
    // Nothing else of the environment: it may hold secrets.
    const env = { NOTIFY_SOCKET: socket, PATH: path };
    try {
      await run("systemd-notify", [...assignments], { env, timeout: toldMsMax });
      this.#isDeaf = false;
    } catch (cause) {
      if (this.#isDeaf) return;
      this.#isDeaf = true;
      const problem = cause instanceof Error ? causeText(cause) : String(cause);
      log.warn({ problem }, "the service manager cannot be told: is systemd-notify installed?");
    }
  }
}
