import type { Command } from "commander";
import { type ControlChange, controlChanges } from "../../wire/controls.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

export function addChanges(program: Command, run: Run): void {
  program
    .command("changes")
    .description("who paused, resumed, drained, loaded, unloaded or set slots, and when")
    .action(() => run(listChanges));
}

async function listChanges({ client, printer }: Session): Promise<ExitCode> {
  const { document, json } = await client.ask(controlChanges, { path: "/foreman/changes" });
  const rows = document.changes.map((change) => [
    change.at,
    change.by,
    change.action,
    whatOf(change),
    change.note,
  ]);
  const titles = ["AT", "BY", "ACTION", "WHAT", "NOTE"];
  await printer.document(json, () =>
    rows.length === 0 ? "nobody changed anything" : table(titles, rows, printer.width),
  );
  return exitCodes.ok;
}

function whatOf({ action, class: of, model, on, slots }: ControlChange): string {
  if (action === "drain") return on ? "on" : "off";
  if (action === "slots") return `${slots}`;
  const words = [of, model].filter((word) => word !== null);
  return words.length === 0 ? "all work" : words.join(" ");
}
