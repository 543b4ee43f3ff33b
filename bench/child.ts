import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

const readyWithinMs = 20_000;
const endsWithinMs = 20_000;

/** What is measured has a core to itself; targets, clients and this process share the other. */
export const measuredCpu = "0";
export const otherCpu = "1";

/** What has no core of its own must be told so: it would inherit the benchmark's. */
const anyCpu = `0-${availableParallelism() - 1}`;

export const canPin = availableParallelism() >= 2 && isInstalled("taskset");

/** Whether PATH has a program of that name. */
export function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

type ChildOptions = {
  readonly command: readonly string[];
  /** taskset's list of cores, or null to leave the choice to the kernel. */
  readonly cpus: string | null;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The folder that it runs in; this process's if absent. */
  readonly cwd?: string;
};

/** So much of what a child said is kept, to tell why it ended. */
const tailBytesMax = 4_096;

/**
 * A process of the benchmark's own. Its outputs are read through pipes, as a service manager reads
 * them: a log in a file would wait for the disk together with the database.
 */
export class Child {
  readonly #process: ChildProcess;
  #tail = "";

  constructor({ command, cpus, cwd, env = {} }: ChildOptions) {
    const pinned = canPin ? ["taskset", "-c", cpus ?? anyCpu, ...command] : command;
    const [program = "", ...rest] = pinned;
    this.#process = spawn(program, rest, {
      env: { ...process.env, ...env },
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (bytes: Buffer) => {
      this.#tail = (this.#tail + bytes.toString("utf8")).slice(-tailBytesMax);
    };
    this.#process.stdout?.on("data", keep);
    this.#process.stderr?.on("data", keep);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** What it said last. */
  get lastLine(): string {
    return this.#tail.trim().split("\n").at(-1) ?? "";
  }

  async firstLine(): Promise<string> {
    while (!this.#tail.includes("\n")) {
      if (this.isOver) throw new Error("a child ended without a word");
      await delay(10);
    }
    return this.#tail.slice(0, this.#tail.indexOf("\n"));
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.isOver) return;
    const over = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await over;
  }

  /** Asks it to end, and kills it if it does not. */
  async stop(): Promise<void> {
    if (this.isOver) return;
    const over = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), endsWithinMs);
    await over;
    clearTimeout(timer);
  }
}

/** A port of the loopback interface on which nobody listens just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Resolves when a connection to the port succeeds; throws if the child ends before. */
export async function listening(
  child: Child,
  port: number,
  withinMs = readyWithinMs,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && !child.isOver) {
    if (await connects(port)) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port}${child.isOver ? ": the process ended" : ""}`);
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
