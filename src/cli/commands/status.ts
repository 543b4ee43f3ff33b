import type { Command } from "commander";
import { statusDocument } from "../../wire/status.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { follow, interruptible } from "../client/follow.ts";
import { printable } from "../output/printable.ts";
import { statusText } from "../output/status-text.ts";
import type { Run, Session } from "../session.ts";

type StatusOptions = { readonly watch?: string | true };

const watchEveryS = { default: 2, least: 0.2, most: 3_600 };

/** Cursor home, and everything behind it gone: a screen that is written over does not flicker. */
const home = "\u001b[H";
const clearBelow = "\u001b[J";
const clearLine = "\u001b[K\n";

export function addStatus(program: Command, run: Run): void {
  program
    .command("status")
    .description("who runs, who waits and why, what Ollama has loaded")
    .option("--watch [seconds]", `again every ${watchEveryS.default} s, until Ctrl-C`)
    .action((options: StatusOptions) => run((session) => showStatus(session, options)));
}

async function showStatus(session: Session, { watch }: StatusOptions): Promise<ExitCode> {
  const { client, printer } = session;
  if (watch !== undefined) return await watchStatus(session, secondsOf(watch) * 1_000);
  const { document, json } = await client.ask(statusDocument, { path: "/foreman/status" });
  await printer.document(json, () => statusText(document, printer.width));
  return exitCodes.ok;
}

/** A screen that is drawn anew on a terminal; else a document, or a text, each time. */
async function watchStatus(
  { client, printer, shell }: Session,
  everyMs: number,
): Promise<ExitCode> {
  const isScreen = printer.isText && shell.stdout.isTTY === true;
  const draw = async (text: string) => {
    if (!isScreen) await printer.text(`${text}\n`);
    else await printer.raw(home + text.replaceAll("\n", clearLine) + clearLine + clearBelow);
  };
  await interruptible(shell.signals, async (signal) => {
    if (isScreen) await printer.raw(home + clearBelow);
    while (!signal.aborted) {
      await follow({
        read: (ended) => client.ask(statusDocument, { path: "/foreman/status", signal: ended }),
        isOver: () => true,
        onReading: ({ document, json }) =>
          void (printer.isText ? draw(statusText(document, printer.width)) : printer.json(json)),
        onAway: (words) => void (isScreen ? draw(printable(words)) : printer.note(words)),
        clock: shell.clock,
        signal,
      });
      await shell.clock.sleep(everyMs, signal);
    }
  });
  return exitCodes.ok;
}

function secondsOf(watch: string | true): number {
  const seconds = watch === true ? watchEveryS.default : Number(watch);
  if (seconds >= watchEveryS.least && seconds <= watchEveryS.most) return seconds;
  const { least, most } = watchEveryS;
  throw new CliFailure(exitCodes.usage, `--watch takes ${least} to ${most} seconds`);
}
