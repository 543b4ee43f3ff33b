import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** What a client program tells, one JSON document in a line. */
export type Line = Readonly<Record<string, unknown>>;

/** Programs in Python need httpx; where it is missing they are skipped, but for CI, which has it. */
export const lacksHttpx =
  !process.env.CI && spawnSync("python3", ["-c", "import httpx"]).status !== 0;

/** A program that uses foreman from outside, in a process of its own. */
export class ClientProgram {
  /** What it has told so far. */
  readonly lines: Line[] = [];
  /** Its exit code, once it is over. */
  readonly code: Promise<number | null>;

  constructor([file, ...args]: readonly [string, ...string[]], url: string) {
    const child = spawn(file, [...args, url], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: child.stdout }).on("line", (line) =>
      this.lines.push(JSON.parse(line)),
    );
    this.code = new Promise((resolve) => child.on("close", resolve));
  }

  of(event: string): Line | undefined {
    return this.lines.find((line) => line.event === event);
  }
}
