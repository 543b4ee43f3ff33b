import type { ExitCode } from "./cli-failure.ts";
import type { ForemanClient } from "./client/foreman-client.ts";
import type { Printer } from "./output/printer.ts";
import type { Shell } from "./shell.ts";

/** What a command works with. */
export type Session = {
  readonly client: ForemanClient;
  readonly printer: Printer;
  readonly shell: Shell;
};

/** Runs a command in a session of the options that stand before or behind it. */
export type Run = (work: (session: Session) => Promise<ExitCode>) => Promise<void>;
