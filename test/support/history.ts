import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type Database from "better-sqlite3";
import { endFingerprint, type JobRow, jobRows, keptAnswer, lookInto } from "./job-rows.ts";
import type { JournalEvent } from "./sim-ollama/journal.ts";
import { overlaps, tale } from "./sim-ollama/journal-queries.ts";
import { type TargetRun, targetRuns } from "./target-runs.ts";

const endStates = ["done", "failed", "cancelled"];

/** How long a request may lie in the target's socket before the target notes it, in ms. */
const notedWithinMs = 50;

/**
 * What clients were told, and what the database showed at each death of the daemon: held against
 * the database and the target's journal at the end. The journal must be of this process.
 *
 * I1 what was acknowledged exists and has one end. I2 no end changes. I3 an answer is what the
 * target sent to the last start. I4 no two generations overlap. I5 starts are bounded and counted.
 * I7 what was cancelled does not start again. I9 one job a key. I10 nothing runs at the end.
 */
export class History {
  readonly #file: string;
  readonly #acknowledged = new Set<string>();
  readonly #idsByKey = new Map<string, Set<string>>();
  readonly #submitted = new Map<string, string>();
  readonly #cancelAsked = new Set<string>();
  readonly #cancelledAtMs = new Map<string, number>();
  readonly #endSeen = new Map<string, string>();
  readonly #endTold = new Map<string, string>();
  readonly #violations: string[] = [];

  constructor(databaseFile: string) {
    this.#file = databaseFile;
  }

  /** A durable job's body goes out. */
  submits(body: string): void {
    this.#submitted.set(createHash("sha256").update(body).digest("hex"), body);
  }

  /** The daemon answered that it has the job. */
  acknowledged(id: string, key: string | null): void {
    this.#acknowledged.add(id);
    if (key !== null) this.#idsByKey.set(key, (this.#idsByKey.get(key) ?? new Set()).add(id));
  }

  asksToCancel(id: string): void {
    this.#cancelAsked.add(id);
  }

  /** The daemon answered a cancel: the job has ended by then, so or otherwise, for good. */
  answersCancel(id: string, state: string): void {
    this.#demand(
      endStates.includes(state),
      `I7 ${id}: its cancel was answered, and it is ${state}`,
    );
    this.told(id, state);
  }

  /** The daemon answered a question with the job in this state. */
  told(id: string, state: string): void {
    if (!endStates.includes(state)) return;
    const before = this.#endTold.get(id);
    this.#demand(before === undefined || before === state, `I2 ${id} was ${before}, now ${state}`);
    this.#endTold.set(id, state);
    if (state === "cancelled") this.#cancelledAtMs.set(id, performance.now());
  }

  /** The daemon is dead: its database must be whole, if there is one; what has ended is noted. */
  inspect(): void {
    if (!existsSync(this.#file)) return;
    lookInto(this.#file, (database) => {
      this.#inspectFile(database);
      // Killed in its first start, or in a migration, a daemon leaves less than these tables.
      if (database.pragma("table_info(answer)", { simple: true }) === undefined) return;
      const ended = database
        .prepare<[], JobRow>("SELECT * FROM job WHERE ended_at_ms IS NOT NULL")
        .all();
      for (const row of ended) {
        if (!this.#endSeen.has(row.id)) this.#endSeen.set(row.id, endFingerprint(database, row));
      }
    });
  }

  /** Everything that was violated, in words; empty if nothing was. All work must be over. */
  violations(events: readonly JournalEvent[], attemptsMax = 3): readonly string[] {
    const runs = targetRuns(events);
    const rows = jobRows(this.#file);
    this.#checkClients(rows);
    lookInto(this.#file, (database) => {
      this.#inspectFile(database);
      for (const row of rows) {
        this.#checkEnd(row, database);
        if (row.is_durable === 1)
          this.#checkStarts(row, runs.get(row.body_hash) ?? [], attemptsMax);
        if (row.state === "done" && row.is_durable === 1) {
          const starts = runs.get(row.body_hash) ?? [];
          const problem = answerProblem(keptAnswer(database, row.seq), starts);
          this.#demand(problem === null, `I3 ${row.id}: ${problem}`);
        }
      }
      const prompts = database.prepare("SELECT count(*) FROM payload").pluck().get();
      this.#demand(prompts === 0, `${prompts} prompts are kept of jobs that have ended`);
    });
    for (const { reason, requestIds } of overlaps(events)) {
      this.#demand(false, `I4 ${reason}: ${requestIds.join(", ")}${tale(events, requestIds)}`);
    }
    this.#checkUnrecorded(rows, runs);
    return this.#violations;
  }

  #inspectFile(database: Database.Database): void {
    const integrity = database.pragma("integrity_check", { simple: true });
    const strays = database.pragma("foreign_key_check") as unknown[];
    this.#demand(integrity === "ok", `integrity_check: ${integrity}`);
    this.#demand(strays.length === 0, `foreign_key_check: ${JSON.stringify(strays)}`);
  }

  #checkClients(rows: readonly JobRow[]): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of this.#acknowledged) this.#demand(byId.has(id), `I1 ${id} is lost`);
    for (const [id, state] of this.#endTold) {
      const now = byId.get(id)?.state;
      this.#demand(now === state, `I2 ${id} was told ${state}, is ${now}`);
    }
    for (const [key, ids] of this.#idsByKey) {
      const holders = rows.filter((row) => row.idempotency_key === key).map(({ id }) => id);
      this.#demand(holders.length === 1, `I9 key ${key} has ${holders.length} rows`);
      const isSame = [...ids].every((id) => id === holders[0]);
      this.#demand(isSame, `I9 key ${key}: told ${[...ids]}, is ${holders}`);
    }
  }

  #checkEnd(row: JobRow, database: Database.Database): void {
    const { deaths, end_reason: reason, id, state } = row;
    this.#demand(endStates.includes(state), `I1 I10 ${id} is ${state} at the end`);
    const seen = this.#endSeen.get(id);
    const isSame = seen === undefined || seen === endFingerprint(database, row);
    this.#demand(isSame, `I2 ${id}: its end was changed`);
    if (row.is_durable === 0) return;
    const isPoison = reason === "poison_item";
    this.#demand(isPoison === deaths >= 3, `Q9 ${id}: ${state}, ${reason} after ${deaths} deaths`);
    const isCancelled = state === "cancelled";
    const isWanted = reason === "cancelled_by_user" && this.#cancelAsked.has(id);
    this.#demand(!isCancelled || isWanted, `${id}: cancelled (${reason}), and nobody asked for it`);
  }

  /** A claim is counted before it is sent, and refunded alone where the row says so. */
  #checkStarts(row: JobRow, runs: readonly TargetRun[], attemptsMax: number): void {
    const { attempts, deaths, id, last_attempt: last, preemptions } = row;
    const counts = `${runs.length} starts, ${attempts} attempts, ${deaths} deaths`;
    // Of several shutdowns the row remembers the last alone: no history here has more.
    const shutdowns = row.put_back_why === "shutdown" ? 1 : 0;
    const allowed = attempts + deaths + preemptions + shutdowns;
    this.#demand(runs.length <= Math.min(allowed, last), `I5 ${id}: ${counts}, last ${last}`);
    this.#demand(attempts <= attemptsMax, `I5 ${id}: ${counts}, at most ${attemptsMax}`);
    const cancelledAtMs = this.#cancelledAtMs.get(id) ?? Number.POSITIVE_INFINITY;
    const late = runs.filter(({ atMs }) => atMs > cancelledAtMs + notedWithinMs);
    this.#demand(late.length === 0, `I7 ${id} started after it was cancelled`);
  }

  #checkUnrecorded(rows: readonly JobRow[], runs: ReadonlyMap<string, readonly TargetRun[]>): void {
    const recorded = new Set(rows.map(({ body_hash }) => body_hash));
    for (const [hash, body] of this.#submitted) {
      const isRun = runs.has(hash) && !recorded.has(hash);
      this.#demand(!isRun, `I5 ran without a row: ${body}`);
    }
  }

  #demand(holds: boolean, otherwise: string): void {
    if (!holds) this.#violations.push(otherwise);
  }
}

type Line = {
  readonly created_at: string;
  readonly done: boolean;
  readonly message?: { readonly content?: string };
};

function apartMs({ tokens: [first] }: TargetRun, stampMs: number): number {
  return Math.abs((first?.atMs ?? Number.NaN) - stampMs);
}

/** What is wrong with a streamed answer, given the starts of its job; null if nothing is. */
function answerProblem(answer: string | null, runs: readonly TargetRun[]): string | null {
  const run = runs.at(-1);
  if (answer === null) return "done without an answer";
  if (run?.outcome !== "complete") return `done, but its last start was ${run?.outcome}`;
  const lines = answer
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const last = lines.pop();
  if (last?.done !== true || lines.some(({ done }) => done))
    return "not one end marker, at the end";
  const kept = lines.map(({ message }) => message?.content ?? "");
  const sent = run.tokens.map(({ text }) => text);
  if (JSON.stringify(kept) !== JSON.stringify(sent)) return `kept "${kept}", sent "${sent}"`;
  const stampMs = Date.parse(lines[0]?.created_at ?? last.created_at) - performance.timeOrigin;
  // Stamp and journal are two readings of the clock, and a busy machine may come between them.
  const nearest = runs
    .filter(({ tokens }) => tokens.length > 0)
    .toSorted((one, other) => apartMs(one, stampMs) - apartMs(other, stampMs))
    .at(0);
  return lines.length > 0 && nearest !== run ? "the right words, of another start" : null;
}
