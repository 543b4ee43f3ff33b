import type { Command } from "commander";
import { backupMade } from "../../wire/backup.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { sizeText } from "../output/size-text.ts";
import type { Run, Session } from "../session.ts";

export function addBackup(program: Command, run: Run): void {
  program
    .command("backup")
    .description("copy the database, while foreman works, into `backups` beside it")
    .action(() => run(backUp));
}

async function backUp({ client, printer }: Session): Promise<ExitCode> {
  const question = { method: "POST", path: "/foreman/backup", isLong: true } as const;
  const { document, json } = await client.ask(backupMade, question);
  await printer.document(json, () => `backups/${document.name}, ${sizeText(document.bytes)}`);
  return exitCodes.ok;
}
