import type { Command } from "commander";
import { statusDocument } from "../../wire/status.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { loadedText, runningText } from "../output/status-text.ts";
import type { Run, Session } from "../session.ts";

export function addPs(program: Command, run: Run): void {
  program
    .command("ps")
    .description("what runs at this moment, and which models are loaded for it")
    .action(() => run(showRunning));
}

async function showRunning({ client, printer }: Session): Promise<ExitCode> {
  const { document } = await client.ask(statusDocument, { path: "/foreman/status" });
  const { running, target } = document;
  await printer.document(JSON.stringify({ running, loaded: target.loaded }), () => {
    const nothing = running.length === 0 ? "nothing runs" : "";
    const parts = [
      runningText(document, printer.width) || nothing,
      loadedText(document, printer.width) || "no model is loaded",
    ];
    return parts.join("\n\n");
  });
  return exitCodes.ok;
}
