import type { Command } from "commander";
import { CliFailure, exitCodes } from "../cli-failure.ts";
import type { Run } from "../session.ts";
import { addBackup } from "./backup.ts";
import { addBatch } from "./batch.ts";
import { addCancel } from "./cancel.ts";
import { addChanges } from "./changes.ts";
import { addControls } from "./controls.ts";
import { addDoctor } from "./doctor.ts";
import { addHistory } from "./history.ts";
import { addJob } from "./job.ts";
import { addJobs } from "./jobs.ts";
import { addJudge } from "./judge.ts";
import { addModels } from "./models.ts";
import { addProviders } from "./providers.ts";
import { addPs } from "./ps.ts";
import { addResults } from "./results.ts";
import { addStatus } from "./status.ts";
import { addSubmit } from "./submit.ts";

/** All commands, in the order in which the help lists them. */
export function addCommands(program: Command, run: Run): void {
  addServe(program);
  addStatus(program, run);
  addPs(program, run);
  addHistory(program, run);
  addJobs(program, run);
  addJob(program, run);
  addSubmit(program, run);
  addBatch(program, run);
  addResults(program, run);
  addJudge(program, run);
  addCancel(program, run);
  addModels(program, run);
  addProviders(program, run);
  addControls(program, run);
  addChanges(program, run);
  addBackup(program, run);
  addDoctor(program, run);
  addToken(program);
}

/** For the help: main.js starts the daemon itself, without loading a command. */
function addServe(program: Command): void {
  program
    .command("serve")
    .description("run the daemon; its settings are environment variables (.env.example)")
    .action(() => {
      throw new CliFailure(exitCodes.usage, "serve stands alone: `foreman serve`");
    });
}

/** For the help: main.js hands it to src/access/, which needs no foreman to ask. */
function addToken(program: Command): void {
  program
    .command("token")
    .argument("[words...]", "add NAME …")
    .description("add a client to FOREMAN_TOKENS_FILE and print its token")
    .action(() => {
      throw new CliFailure(exitCodes.usage, "token stands first: `foreman token add NAME`");
    });
}
