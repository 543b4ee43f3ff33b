/**
 * What a command's exit code says; docs/cli.md has the table. Beyond 63 they are those of
 * sysexits.h, as the daemon's are.
 */
export const exitCodes = {
  ok: 0,
  /** Foreman refused, or what was waited for ended otherwise than well. */
  failed: 1,
  /** A batch came to its end, and some of its items failed. */
  itemsFailed: 2,
  usage: 64,
  badInput: 65,
  noInput: 66,
  unreachable: 69,
  internal: 70,
  outputLost: 74,
  tryLater: 75,
  notForeman: 76,
  notAllowed: 77,
  badSetting: 78,
  interrupted: 130,
} as const;

type ExitCodes = typeof exitCodes;

export type ExitCode = ExitCodes[keyof ExitCodes];

/** A command cannot go on. The message is one line that names the cause and what to do. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
