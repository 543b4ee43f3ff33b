import { Command, CommanderError } from "commander";
import { CliFailure, exitCodes } from "./cli-failure.ts";
import { ForemanClient } from "./client/foreman-client.ts";
import { readAddress } from "./client/read-address.ts";
import { addCommands } from "./commands/add-commands.ts";
import { printable } from "./output/printable.ts";
import { Printer } from "./output/printer.ts";
import type { Session } from "./session.ts";
import type { Shell } from "./shell.ts";

type GlobalOptions = {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly text?: boolean;
};

const manual = `
Where foreman is and who asks: --url or FOREMAN_URL (http://127.0.0.1:8080), and its token by
FOREMAN_CLIENT_TOKEN or --token-file. Text for a terminal, JSON for a pipe: see docs/cli.md.`;

/** Runs the command that `args` name, and answers its exit code. Never throws. */
export async function runCli(args: readonly string[], shell: Shell): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram(shell);
  addCommands(program, async (work) => {
    exitCode = await work(openSession(program.opts<GlobalOptions>(), shell));
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
  } catch (cause) {
    return complain(cause, shell);
  }
  return exitCode;
}

function createProgram(shell: Shell): Command {
  return new Command("foreman")
    .description("The queue in front of Ollama: look into it, give it work, steer it")
    .option("--url <url>", "the foreman to ask")
    .option("--token-file <file>", "a file that holds the token to show there")
    .option("--json", "JSON, also on a terminal")
    .option("--text", "text for people, also in a pipe")
    .addHelpText("after", manual)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
      outputError: (text, write) => {
        const words = printable(text)
          .replace(/^error: /, "")
          .trim();
        write(`foreman: ${words}; \`foreman --help\` tells what there is\n`);
      },
    })
    .exitOverride();
}

function openSession({ json, text, ...address }: GlobalOptions, shell: Shell): Session {
  const format = json ? "json" : text ? "text" : null;
  const client = new ForemanClient(readAddress(address, shell.env));
  return { client, printer: new Printer(shell, { format }), shell };
}

function complain(cause: unknown, shell: Shell): number {
  if (cause instanceof CommanderError) {
    // Help that was asked for ends like this, too; the words are out already.
    return cause.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  if (cause instanceof CliFailure) {
    shell.stderr.write(`foreman: ${printable(cause.message)}\n`);
    return cause.exitCode;
  }
  const words = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  shell.stderr.write(`foreman: ${words}\n`);
  return exitCodes.internal;
}
