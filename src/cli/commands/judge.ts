import type { Command } from "commander";
import { resultView } from "../../wire/runtime-answers.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { linesOf } from "../client/lines.ts";
import { batchPath, segmentOf } from "../client/paths.ts";
import { printable } from "../output/printable.ts";
import type { Run, Session } from "../session.ts";

type Verdict = {
  readonly verb: "approve" | "reject";
  readonly by?: string;
  readonly note?: string;
};

/** A `request_id` is far shorter; a longer line is another file. */
const lineBytesMax = 65_536;

/** Verdicts on the results of a batch that was submitted with `--requires-approval`. */
export function addJudge(program: Command, run: Run): void {
  for (const [verb, what] of [
    ["approve", "let results of a batch count"],
    ["reject", "let results of a batch not count"],
  ] as const) {
    program
      .command(verb)
      .description(`${what}; a verdict is given once`)
      .argument("<batch>", "the batch")
      .argument("<requests...>", "the items' request_id; - reads them from stdin, a line each")
      .option("--by <name>", "who judged, if it is not who holds the token")
      .option("--note <text>", "why")
      .action((id: string, requests: readonly string[], options: Omit<Verdict, "verb">) =>
        run((session) => judge(session, id, requests, { verb, ...options })),
      );
  }
}

async function judge(
  session: Session,
  id: string,
  requests: readonly string[],
  { verb, ...body }: Verdict,
): Promise<ExitCode> {
  const { client, printer } = session;
  for await (const request of requestsOf(session, requests)) {
    const path = `${batchPath(id)}/results/${segmentOf(request)}/${verb}`;
    const { document, json } = await client.ask(resultView, { method: "POST", path, body });
    const { request_id: judged, approval } = document;
    await printer.document(json, () => printable(`${judged} is ${approval?.state}`));
  }
  return exitCodes.ok;
}

async function* requestsOf({ shell }: Session, requests: readonly string[]) {
  if (!requests.includes("-")) {
    yield* requests;
    return;
  }
  if (requests.length > 1) throw new CliFailure(exitCodes.usage, "- stands alone: all from stdin");
  for await (const { text } of linesOf(shell.stdin, lineBytesMax)) yield text;
}
