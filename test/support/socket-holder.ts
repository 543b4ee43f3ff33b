import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

/**
 * Listens and never accepts, as systemd does for a socket unit, which Node cannot: a line on its
 * input starts a process that has the socket as descriptor 3, and whose id LISTEN_PID names.
 */
const holder = `
import json, os, socket, subprocess, sys
door = socket.create_server(("127.0.0.1", 0), backlog=1024)
os.dup2(door.fileno(), 3)
os.set_inheritable(3, True)
def say(**facts):
    print(json.dumps(facts), flush=True)
say(port=door.getsockname()[1])
for line in sys.stdin:
    order = json.loads(line)
    child = subprocess.Popen(
        ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", *order["command"]],
        env={**os.environ, **order["env"]}, close_fds=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    say(pid=child.pid)
    said = child.stderr.read().decode()
    say(code=child.wait(), said=said)
`;

type Word = { readonly port?: number; readonly pid?: number; readonly code?: number };
export type SocketEnd = { readonly code: number; readonly said: string };

/** A listening socket that outlives the processes which serve it, one after another. */
export class SocketHolder {
  readonly #words: (Word & { readonly said?: string })[] = [];
  readonly #child = spawn("python3", ["-c", holder], { stdio: ["pipe", "pipe", "inherit"] });

  static async open(): Promise<SocketHolder> {
    const opened = new SocketHolder();
    createInterface({ input: opened.#child.stdout }).on("line", (line) => {
      opened.#words.push(JSON.parse(line));
    });
    onTestFinished(() => {
      for (const { pid } of opened.#words) if (pid !== undefined) killIfThere(pid);
      opened.#child.kill("SIGKILL");
    });
    await until("the socket is held", () => opened.#words.length > 0, 10_000);
    return opened;
  }

  get port(): number {
    return this.#words[0]?.port ?? 0;
  }

  /** Starts the next process: its id. The one before must have ended. */
  async start(command: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    const told = this.#words.length;
    this.#child.stdin.write(`${JSON.stringify({ command, env })}\n`);
    await until("it is started", () => this.#words.length > told);
    return this.#words[told]?.pid ?? 0;
  }

  /** How the latest process ended. */
  async ended(): Promise<SocketEnd> {
    await until("it ends", () => this.#words.at(-1)?.code !== undefined, 30_000);
    const { code = -1, said = "" } = this.#words.at(-1) ?? {};
    return { code, said };
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
