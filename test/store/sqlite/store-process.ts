import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./run-store.ts", import.meta.url));

/** A store in a process of its own, and the lines that it has told. */
export class StoreProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #awaited: (() => void)[] = [];

  /** `fileBlocksMax`: the largest file that the process may write, in 512-byte blocks. */
  constructor(file: string, options: { bodyBytes?: number; fileBlocksMax?: number } = {}) {
    const limit = options.fileBlocksMax ?? "unlimited";
    const command = `ulimit -f ${limit}; exec "$0" "$@"`;
    const own = [process.execPath, script, file, String(options.bodyBytes ?? 10)];
    this.#child = spawn("sh", ["-c", command, ...own], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#child.stdout! });
    lines.on("line", (line) => {
      this.lines.push(line);
      for (const wake of this.#awaited.splice(0)) wake();
    });
  }

  /** Resolves when the process has told so many lines that begin so. */
  async told(beginning: string, times = 1): Promise<readonly string[]> {
    for (;;) {
      const found = this.lines.filter((line) => line.startsWith(beginning));
      if (found.length >= times) return found;
      await new Promise<void>((resolve) => this.#awaited.push(resolve));
    }
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
