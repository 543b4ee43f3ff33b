import type { z } from "zod";
import { jobDocument } from "../../wire/jobs.ts";
import { batchView } from "../../wire/runtime-answers.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import type { Session } from "../session.ts";
import { follow, interruptible } from "./follow.ts";
import type { Told } from "./foreman-client.ts";
import { batchPath, jobPath } from "./paths.ts";

type Batch = z.output<typeof batchView>;
type Job = z.output<typeof jobDocument>;

/** An id may be a job's or a batch's. */
export type Found =
  | { readonly kind: "job"; readonly told: Told<Job> }
  | { readonly kind: "batch"; readonly told: Told<Batch> };

/** @throws CliFailure if there is neither, or none that this client may see */
export async function findWork({ client }: Session, id: string): Promise<Found> {
  const job = await client.find(jobDocument, { path: jobPath(id) });
  if (job !== null) return { kind: "job", told: job };
  const batch = await client.find(batchView, { path: batchPath(id) });
  if (batch !== null) return { kind: "batch", told: batch };
  throw new CliFailure(
    exitCodes.failed,
    `no job and no batch ${id}, or not yours to see: \`foreman jobs\` and \`foreman batch list\``,
  );
}

type Onlooker = {
  readonly onReading: (found: Found) => void;
  /** Called before a word is said about the end. */
  readonly onEnd: () => void;
};

const nobody: Onlooker = { onReading: () => {}, onEnd: () => {} };

/** Waits for the end of a job or a batch; null if it was interrupted, and the work goes on. */
export async function waitFor(
  session: Session,
  found: Found,
  { onEnd, onReading }: Onlooker = nobody,
): Promise<Found | null> {
  const { client, printer, shell } = session;
  const id = found.told.document.job_id;
  const read = async (signal: AbortSignal): Promise<Found> =>
    found.kind === "job"
      ? { kind: "job", told: await client.ask(jobDocument, { path: jobPath(id), signal }) }
      : { kind: "batch", told: await client.ask(batchView, { path: batchPath(id), signal }) };
  const ended = await interruptible(shell.signals, (signal) =>
    follow({
      read,
      isOver: ({ told }) => told.document.ended_at !== null,
      onReading,
      onAway: (words) => printer.note(`${words}. The work is kept; waiting for foreman`),
      clock: shell.clock,
      signal,
    }),
  );
  onEnd();
  if (ended === null) {
    printer.note(`no longer looking; ${found.kind} ${id} goes on: foreman job ${id} --wait`);
  }
  return ended;
}

/** What a script is told by the exit code of whoever waited. */
export function exitCodeOf({ kind, told: { document } }: Found): ExitCode {
  if (document.ended_at === null) return exitCodes.ok;
  if (kind === "job") return "state" in document && document.state === "done" ? 0 : 1;
  if (!("status" in document) || document.status !== "completed") return exitCodes.failed;
  return document.failed_count > 0 ? exitCodes.itemsFailed : exitCodes.ok;
}
