import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { compileCache } from "./compile-cache.ts";
import { until } from "./until.ts";

const main = fileURLToPath(new URL("../../src/main.js", import.meta.url));

/**
 * One life of the daemon as a process of its own. Whoever starts it sees to its end; it does not
 * outlive this process, unless that is killed outright.
 */
export class DaemonLife {
  readonly child: ChildProcess;
  #output = "";

  constructor(settings: Readonly<Record<string, string>>, node = process.execPath) {
    this.child = spawn(node, [main], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const end = () => void this.child.kill("SIGKILL");
    process.once("exit", end);
    this.child.once("exit", () => process.off("exit", end));
    this.child.stdout?.on("data", (bytes) => {
      this.#output += bytes;
    });
    this.child.stderr?.on("data", (bytes) => {
      this.#output += bytes;
    });
  }

  /** Everything that it wrote, on both streams. */
  get output(): string {
    return this.#output;
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Whether it said that it listens: to ask it every few milliseconds would slow its start down. */
  get saysListening(): boolean {
    return this.#output.includes("foreman listening");
  }

  /** Resolves when `url` answers. */
  async listening(url: string, withinMs = 5_000): Promise<void> {
    const answers = async () => {
      if (this.isOver) throw new Error(`exited: ${this.#output}`);
      if (!this.saysListening) return false;
      return await fetch(`${url}/livez`).then(
        (answer) => answer.ok,
        () => false,
      );
    };
    await until(`${url} listens`, answers, withinMs);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async exited(): Promise<number | string> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    if (this.child.signalCode !== null) return this.child.signalCode;
    const [code, signal] = (await once(this.child, "exit")) as [number | null, string | null];
    return code ?? signal ?? "unknown";
  }
}
