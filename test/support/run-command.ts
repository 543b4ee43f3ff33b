import { EventEmitter } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { runCli } from "../../src/cli/run-cli.ts";
import { foregroundClock } from "../../src/clock.ts";

export type Ran = { readonly exitCode: number; readonly out: string; readonly err: string };

export type Command = {
  /** What it has written so far. */
  readonly written: () => Omit<Ran, "exitCode">;
  readonly interrupt: () => void;
  readonly ended: Promise<Ran>;
};

type Setting = {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Letters in a line of the terminal; without it the output is piped. */
  readonly columns?: number;
};

/** Starts a command of `foreman` in this process, as a shell would. */
export function startCommand(args: readonly string[], setting: Setting = {}): Command {
  const { columns, env = {}, stdin = "" } = setting;
  const terminal = () =>
    Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  const streams = { stdout: terminal(), stderr: terminal() };
  const signals = new EventEmitter();
  const texts = { out: "", err: "" };
  streams.stdout.on("data", (bytes: Buffer) => {
    texts.out += bytes.toString();
  });
  streams.stderr.on("data", (bytes: Buffer) => {
    texts.err += bytes.toString();
  });
  const clock = foregroundClock;
  const running = runCli(args, { env, stdin: Readable.from([stdin]), ...streams, clock, signals });
  return {
    written: () => ({ ...texts }),
    interrupt: () => void signals.emit("SIGINT"),
    ended: running.then((exitCode) => ({ exitCode, ...texts })),
  };
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], setting: Setting = {}): Promise<Ran> {
  return await startCommand(args, setting).ended;
}
