import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import type { DaemonLife } from "./daemon-life.ts";
import { until } from "./until.ts";

type Fault = {
  /** Which calls of the kernel fail, such as `pwrite64`. */
  readonly calls: string;
  /** The files that they fail on; others are left alone. */
  readonly files: readonly string[];
  /**
   * As strace's `inject` takes it: `error=ENOSPC`, with `:when=3+` for the third and all later, or
   * `delay_enter=500ms`.
   */
  readonly inject: string;
};

/** Why no faults can be injected here; null if they can. Tried on a process that soon ends. */
export function whyNoFaults(): string | null {
  const other = spawn("sleep", ["0.2"], { stdio: "ignore" });
  try {
    execFileSync("strace", ["-o", "/dev/null", "-p", String(other.pid)], { stdio: "ignore" });
    return null;
  } catch {
    return "strace is not installed, or may not attach to a process here";
  }
}

/**
 * Real errors of the kernel's for a daemon that runs: strace is attached to it, and lets calls fail
 * until it is lifted. The daemon outlives both.
 */
export class DiskFault {
  readonly #strace: ChildProcess;
  #told = "";

  private constructor(strace: ChildProcess) {
    this.#strace = strace;
    strace.stderr?.on("data", (bytes) => {
      this.#told += bytes;
    });
  }

  /** Resolves when the fault is in force. */
  static async on(daemon: DaemonLife, { calls, files, inject }: Fault): Promise<DiskFault> {
    const paths = files.flatMap((file) => ["-P", file]);
    const options = ["-f", "-p", String(daemon.child.pid), ...paths];
    const trace = ["-e", `trace=${calls}`, "-e", `inject=${calls}:${inject}`];
    const strace = spawn("strace", [...options, ...trace], { stdio: ["ignore", "ignore", "pipe"] });
    const fault = new DiskFault(strace);
    onTestFinished(() => fault.lift());
    await until("strace is attached", () => fault.#told.includes(" attached"));
    return fault;
  }

  /** How many calls have failed, or were held up. */
  get count(): number {
    return this.#told.split(/\((?:INJECTED|DELAYED)\)/).length - 1;
  }

  /** Resolves when the calls succeed again. Idempotent. */
  async lift(): Promise<void> {
    if (this.#strace.exitCode !== null || this.#strace.signalCode !== null) return;
    const gone = once(this.#strace, "exit");
    this.#strace.kill("SIGTERM");
    await gone;
  }
}
