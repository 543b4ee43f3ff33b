import { getuid } from "node:process";
import type { Command } from "commander";
import { type Config, readConfig } from "../../config.ts";
import { ForemanError } from "../../errors.ts";
import { type ExitCode, exitCodes } from "../cli-failure.ts";
import { checkDisk } from "../doctor/check-disk.ts";
import { checkFiles, checkSecretFiles } from "../doctor/check-files.ts";
import { checkPort } from "../doctor/check-port.ts";
import { checkSlots } from "../doctor/check-slots.ts";
import { checkTarget } from "../doctor/check-target.ts";
import type { Finding } from "../doctor/finding.ts";
import { printable } from "../output/printable.ts";
import type { Run, Session } from "../session.ts";
import type { Shell } from "../shell.ts";

const marks = { ok: "ok     ", warning: "warning", fault: "FAULT  ", unknown: "unknown" } as const;

export function addDoctor(program: Command, run: Run): void {
  program
    .command("doctor")
    .description("on foreman's machine, with its settings: what is wrong there, and what to do")
    .action(() => run(examine));
}

/** Exits 1 if there is a fault. What could not be found out is told, and is none. */
async function examine({ printer, shell }: Session): Promise<ExitCode> {
  const findings = await findingsOf(shell);
  await printer.document(JSON.stringify({ findings }), () => findings.map(textOf).join("\n"));
  return findings.some(({ level }) => level === "fault") ? exitCodes.failed : exitCodes.ok;
}

async function findingsOf(shell: Shell): Promise<readonly Finding[]> {
  const config = configOrFault(shell.env);
  if ("level" in config) return [config];
  return [
    { level: "ok", subject: "settings", found: "can be read", remedy: null },
    ...(await checkTarget(config, shell)),
    ...checkSlots(config, shell.env),
    ...checkDisk(config, shell.clock),
    ...checkFiles(config, getuid?.() ?? null),
    ...checkSecretFiles(shell.env),
    ...(await checkPort(config)),
  ];
}

function configOrFault(env: Shell["env"]): Config | Finding {
  try {
    return readConfig(env);
  } catch (cause) {
    if (!(cause instanceof ForemanError)) throw cause;
    const remedy = "correct it where foreman's environment is set; .env.example lists all";
    return { level: "fault", subject: "settings", found: cause.message, remedy };
  }
}

function textOf({ found, level, remedy, subject }: Finding): string {
  const line = `${marks[level]}  ${subject}: ${printable(found)}`;
  return remedy === null ? line : `${line}\n         → ${printable(remedy)}`;
}
