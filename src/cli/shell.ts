import type { Clock } from "../clock.ts";

export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** Where a command was called from, as far as a command is concerned. */
export type Shell = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Its sleep keeps the process alive. */
  readonly clock: Clock;
  /** Emits `SIGINT`: the process, which is ended by one that nobody listens to. */
  readonly signals: Pick<NodeJS.EventEmitter, "once" | "off">;
};
