import type { Command } from "commander";
import { psReply, tagsReply } from "../../wire/ollama.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { sizeText } from "../output/size-text.ts";
import { table } from "../output/table.ts";
import type { Run, Session } from "../session.ts";

export function addModels(program: Command, run: Run): void {
  program
    .command("models")
    .description("the models that Ollama has, and which of them are loaded")
    .action(() => run(listModels));
}

async function listModels({ client, printer }: Session): Promise<ExitCode> {
  const { document, json } = await client.ask(tagsReply, { path: "/api/tags" });
  const { document: loaded } = await client.ask(psReply, { path: "/api/ps" });
  const rows = document.models.map(({ digest, name, size }) => {
    const isLoaded = loaded.models.some((each) => each.name === name);
    return [name, sizeText(size), isLoaded ? "loaded" : "", digest.slice(0, 12)];
  });
  await printer.document(json, () =>
    rows.length === 0
      ? "Ollama has no model: `ollama pull llama3.2`, with OLLAMA_HOST set to this foreman"
      : table(["MODEL", "SIZE", "", "DIGEST"], rows, printer.width),
  );
  return exitCodes.ok;
}
