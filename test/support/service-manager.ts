import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

/** Node cannot read datagrams of the local kind, so Python does: one message in a line. */
const listener = `
import json, socket, sys
name = sys.argv[1]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("\\0" + name[1:] if name.startswith("@") else name)
print("[]", flush=True)
while True:
    print(json.dumps(ear.recv(65536).decode().splitlines()), flush=True)
`;

/** Whether this machine lacks what a service manager is played with; never so in CI. */
export const lacksSystemd =
  !process.env.CI &&
  ["python3", "systemd-notify"].some((program) => spawnSync(program, ["--version"]).error);

/** The ear of a service manager (sd_notify(3)), at a path or an abstract name. */
export class ServiceManager {
  /** Each message's assignments, in order of arrival. */
  readonly heard: string[][] = [];
  #isListening = false;

  static async listen(socket: string): Promise<ServiceManager> {
    const manager = new ServiceManager();
    const child = spawn("python3", ["-c", listener, socket], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (manager.#isListening) manager.heard.push(JSON.parse(line));
      manager.#isListening = true;
    });
    await until("the service manager listens", () => manager.#isListening, 10_000);
    return manager;
  }

  countOf(assignment: string): number {
    return this.heard.filter((each) => each.includes(assignment)).length;
  }

  async hears(assignment: string, withinMs = 10_000): Promise<void> {
    await until(`${assignment} is told`, () => this.countOf(assignment) > 0, withinMs);
  }
}
