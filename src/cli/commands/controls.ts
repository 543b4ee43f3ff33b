import type { Command } from "commander";
import { drainView, loadView, pausesView, slotsView, unloadView } from "../../wire/controls.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

type PauseOptions = { readonly class?: string; readonly model?: string; readonly note?: string };
type NoteOption = { readonly note?: string };

const note = ["--note <text>", "why, for whoever reads the changes later"] as const;

/** What an admin may do to a foreman that works. */
export function addControls(program: Command, run: Run): void {
  for (const [word, what] of [
    ["pause", "hold back what waits: all of it, a class, a model"],
    ["resume", "let it run again"],
  ] as const) {
    program
      .command(word)
      .description(what)
      .option("--class <class>", "interactive or batch")
      .option("--model <model>", "of this model")
      .option(...note)
      .action((wish: PauseOptions) => run((session) => pause(session, word, wish)));
  }
  program
    .command("drain")
    .description("take no new queued work (what waits still runs), or take it again")
    .argument("[on|off]", "on, unless it says off", "on")
    .option(...note)
    .action((word: string, options: NoteOption) => run((session) => drain(session, word, options)));
  program
    .command("load")
    .description("load a model, when its turn comes")
    .argument("<model>")
    .option("--keep-alive <time>", "how long it stays after use: 30m, -1 for good")
    .action((model: string, options: { readonly keepAlive?: string }) =>
      run((session) => load(session, model, options.keepAlive)),
    );
  program
    .command("unload")
    .description("have Ollama let go of a model, once what runs on it has ended")
    .argument("<model>")
    .action((model: string) => run((session) => unload(session, model)));
  program
    .command("slots")
    .description("how many generations may run at once, until the next start")
    .argument("<count>")
    .option(...note)
    .action((count: string, options: NoteOption) =>
      run((session) => setSlots(session, count, options)),
    );
}

async function pause(
  { client, printer }: Session,
  word: "pause" | "resume",
  wish: PauseOptions,
): Promise<ExitCode> {
  const question = { method: "POST", path: `/foreman/${word}`, body: wish } as const;
  const { document, json } = await client.ask(pausesView, question);
  const rows = document.paused.map((each) => [
    each.class ?? "all classes",
    each.model ?? "all models",
    each.since,
    each.by,
    each.note,
  ]);
  const titles = ["PAUSED", "MODEL", "SINCE", "BY", "NOTE"];
  await printer.document(json, () =>
    rows.length === 0 ? "nothing is paused" : table(titles, rows, printer.width),
  );
  return exitCodes.ok;
}

async function drain(
  { client, printer }: Session,
  word: string,
  options: NoteOption,
): Promise<ExitCode> {
  if (word !== "on" && word !== "off") throw new CliFailure(exitCodes.usage, "drain on, or off");
  const body = { on: word === "on", ...options };
  const question = { method: "POST", path: "/foreman/drain", body } as const;
  const { document, json } = await client.ask(drainView, question);
  const { drain: closing, running, waiting } = document;
  await printer.document(json, () =>
    closing === null
      ? "new work is taken"
      : `no new work is taken, since ${closing.since} by ${printable(closing.by)}; ` +
        `${running} run and ${waiting} wait. \`foreman drain off\` ends it`,
  );
  return exitCodes.ok;
}

async function load(
  { client, printer }: Session,
  model: string,
  keepAlive: string | undefined,
): Promise<ExitCode> {
  const body = { model, keep_alive: keepAlive };
  const question = { method: "POST", path: "/foreman/models/load", body } as const;
  const { document, json } = await client.ask(loadView, question);
  await printer.document(json, () => document.job_id);
  if (printer.isText) {
    printer.note(`it waits its turn as a job: foreman job ${document.job_id} --wait`);
  }
  return exitCodes.ok;
}

async function unload({ client, printer }: Session, model: string): Promise<ExitCode> {
  const question = { method: "POST", path: "/foreman/models/unload", body: { model } } as const;
  const { json } = await client.ask(unloadView, question);
  await printer.document(json, () => `Ollama was told to let go of ${model}`);
  return exitCodes.ok;
}

async function setSlots(
  { client, printer }: Session,
  count: string,
  options: NoteOption,
): Promise<ExitCode> {
  const slots = /^\d+$/.test(count) ? Number(count) : Number.NaN;
  if (Number.isNaN(slots)) throw new CliFailure(exitCodes.usage, "slots takes a whole number");
  const question = { method: "PUT", path: "/foreman/slots", body: { slots, ...options } } as const;
  const { document, json } = await client.ask(slotsView, question);
  await printer.document(
    json,
    () => `${document.slots} slots until the next start; FOREMAN_CHAT_SLOTS is ${document.setting}`,
  );
  return exitCodes.ok;
}
