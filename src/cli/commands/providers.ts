import type { Command } from "commander";
import {
  providerChanges,
  providerList,
  providerOrderView,
  providerView,
} from "../../wire/runtime-answers.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { runtimePath, segmentOf } from "../client/paths.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

type SwitchOptions = { readonly model?: string; readonly note?: string };
type NoteOption = { readonly note?: string };

const path = `${runtimePath}/providers`;

export function addProviders(program: Command, run: Run): void {
  const providers = program
    .command("providers")
    .description("who answers the runtime-LLM API: show, switch, order")
    .action(() => run(listProviders));
  for (const word of ["on", "off"]) {
    providers
      .command(word)
      .description(`switch a provider, or one model of it, ${word}`)
      .argument("<provider>", "ollama, nemoclaw or deterministic_fallback")
      .option("--model <model>", "this model of it alone")
      .option("--note <text>", "why, for whoever reads the changes later")
      .action((id: string, options: SwitchOptions) =>
        run((session) => switchProvider(session, id, { isOn: word === "on", ...options })),
      );
  }
  providers
    .command("order")
    .description("who is asked first; auto gives the order back to the routing rule")
    .argument("<providers...>", "all of them, the first to be asked first; or auto")
    .option("--note <text>", "why, for whoever reads the changes later")
    .action((order: readonly string[], options: NoteOption) =>
      run((session) => setOrder(session, order, options)),
    );
  providers
    .command("changes")
    .description("who switched what, and when")
    .action(() => run(listChanges));
}

async function listProviders({ client, printer }: Session): Promise<ExitCode> {
  const { document, json } = await client.ask(providerList, { path });
  const rows = document.providers.map((provider) => [
    provider.id,
    provider.status,
    provider.queue_depth,
    provider.latency_ms === null ? null : `${Math.round(provider.latency_ms.p50)} ms`,
    `${Math.round(provider.error_rate * 100)}%`,
    provider.models.length,
    provider.problem ?? provider.models_off.map((name) => `${name} is off`).join(", "),
  ]);
  const titles = ["PROVIDER", "STATUS", "QUEUED", "P50", "ERRORS", "MODELS", "WHY"];
  await printer.document(json, () => table(titles, rows, printer.width));
  return exitCodes.ok;
}

async function switchProvider(
  { client, printer }: Session,
  id: string,
  { isOn, model, note }: SwitchOptions & { readonly isOn: boolean },
): Promise<ExitCode> {
  const change = model === undefined ? { enabled: isOn } : { models: { [model]: isOn } };
  const { json } = await client.ask(providerView, {
    method: "PATCH",
    path: `${path}/${segmentOf(id)}`,
    body: { ...change, note },
  });
  await printer.document(json, () => `${id}${model ? ` ${model}` : ""} is ${isOn ? "on" : "off"}`);
  return exitCodes.ok;
}

async function setOrder(
  { client, printer }: Session,
  words: readonly string[],
  { note }: NoteOption,
): Promise<ExitCode> {
  const order = words.join() === "auto" ? null : words.flatMap((word) => word.split(","));
  const question = { method: "PUT", path: `${path}/order`, body: { order, note } } as const;
  const { document, json } = await client.ask(providerOrderView, question);
  await printer.document(json, () =>
    document.order === null ? "the routing rule decides" : document.order.join(", then "),
  );
  return exitCodes.ok;
}

async function listChanges({ client, printer }: Session): Promise<ExitCode> {
  const { document, json } = await client.ask(providerChanges, { path: `${path}/changes` });
  const rows = document.changes.map(({ at, by, note, ...change }) => [
    at,
    by,
    JSON.stringify(change),
    note,
  ]);
  await printer.document(json, () => table(["AT", "BY", "CHANGE", "NOTE"], rows, printer.width));
  return exitCodes.ok;
}
