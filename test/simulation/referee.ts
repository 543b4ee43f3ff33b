// Watches one world and holds it against foreman's promises: see docs/simulation.md.
import assert from "node:assert/strict";
import { type Job, type JobId, type JobState, mayBecome, transitions } from "../../src/job.ts";
import type { VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import type { Answer, Insertion } from "../../src/store/store.ts";
import { attemptsMax } from "./life.ts";
import type { Plan, RequestPlan } from "./plan.ts";
import type { SimDisk, SimRow } from "./sim-disk.ts";
import type { Start } from "./sim-target.ts";
import type { Exchange } from "./sim-wire.ts";

type Join = { readonly atMs: number; readonly life: number };

type RefereeDeps = {
  readonly plan: Plan;
  readonly disk: SimDisk;
  readonly starts: readonly Start[];
  readonly nowMs: () => number;
};

export class Referee {
  readonly violations: string[] = [];
  readonly #deps: RefereeDeps;
  /** By the hash of its body, which request it is. */
  readonly #bodies = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<number, JobId>();
  readonly #acknowledged = new Map<JobId, number>();
  readonly #keyed = new Map<number, Set<JobId>>();
  readonly #cancelAsked = new Set<number>();
  /** By request, how many starts it had when its cancel was answered. */
  readonly #startsAtCancel = new Map<number, number>();
  readonly #ends = new Map<JobId, string>();
  readonly #joins = new Map<number, Join>();
  readonly #heard = new Map<number, Exchange>();
  readonly #claims: { readonly id: JobId; readonly lane: string; readonly arrival: number }[] = [];

  constructor(deps: RefereeDeps) {
    this.#deps = deps;
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  /** Which request an id is of, for people; ids differ from run to run. */
  nameOf(id: string): string {
    const number = this.#numbers.get(id);
    return number === undefined ? "?" : `r${number}`;
  }

  /** A client will send such a body. */
  expects(number: number, bodyHash: string): void {
    this.#bodies.set(bodyHash, number);
  }

  /** Its latest job, as an operator finds it in a list; null: it has none yet. */
  idOf(number: number): JobId | null {
    return this.#ids.get(number) ?? null;
  }

  /** It waits from now on, as a client sees it. */
  joined(number: number, life: number): void {
    this.#joins.set(number, { atMs: this.#deps.nowMs(), life });
  }

  /** It was not taken, and its client will come again. */
  turnedAway(number: number): void {
    this.#joins.delete(number);
  }

  acknowledged(number: number, id: JobId, hasKey: boolean): void {
    this.#acknowledged.set(id, number);
    if (hasKey) this.#keyed.set(number, (this.#keyed.get(number) ?? new Set()).add(id));
  }

  asksToCancel(number: number): void {
    this.#cancelAsked.add(number);
  }

  /** The cancel of a durable job was answered: it has ended, so or otherwise. */
  cancelAnswered(number: number, id: JobId, told: string): void {
    const state = this.#deps.disk.row(id)?.state;
    const isEnded = isEnd(state) && isEnd(told as JobState);
    this.#demand(isEnded, `I7 r${number}: its cancel was answered, and it is ${state}`);
    this.#startsAtCancel.set(number, this.#startsOf(number).length);
  }

  /** What a client has in its hands when it wants no more. */
  heard(number: number, exchange: Exchange): void {
    this.#heard.set(number, exchange);
    const { isEnded, statusCode } = exchange;
    if (!isEnded || statusCode !== 200) return;
    // Whoever waited long was sent spaces before.
    const text = exchange.text.trimStart();
    if (text.startsWith('{"error"')) return;
    const isMarked = text.includes('"done":true');
    // What the target ends as if it were whole is passed on as it came.
    const isUnmarked = this.#plan(number).fates.includes("unmarked");
    this.#demand(isMarked || isUnmarked, `P5 r${number}: half an answer ends like a whole one`);
    const isSent = this.#startsOf(number).some((start) => start.text === text);
    this.#demand(isSent, `I3 r${number}: its client heard what no start sent: ${exchange.text}`);
  }

  /** A verb was committed. */
  applied(verb: WriteVerb, answer: VerbAnswer, life: number): void {
    const id = jobOf(verb);
    if (verb.kind === "insertJob") this.#noteInsert(verb.job, answer as Insertion, life);
    const row = id === null ? null : this.#deps.disk.row(id);
    if (row === null) return;
    if (verb.kind === "claim" && answer === "claimed" && row.isDurable) this.#noteClaim(row);
    const end = row.ending === null ? null : JSON.stringify([row.state, row.ending]);
    const before = this.#ends.get(row.id) ?? null;
    const isKept = before === null || before === end;
    this.#demand(isKept, `I2 ${this.nameOf(row.id)}: its end was changed`);
    if (end !== null) this.#ends.set(row.id, end);
  }

  #noteInsert({ bodyHash, id, isDurable }: Job, { kind }: Insertion, life: number): void {
    const number = this.#bodies.get(bodyHash);
    if (number === undefined || kind !== "inserted") return;
    this.#numbers.set(id, number);
    this.#ids.set(number, id);
    if (isDurable) this.joined(number, life);
  }

  /** Requests that foreman owes an end: durable jobs without one, and clients of `life` that wait. */
  open(life: number): readonly number[] {
    const { owed } = this.#deps.disk;
    const onSocket = [...this.#joins].filter(
      ([number, join]) =>
        this.#plan(number).way === "chat" && join.life === life && !this.#heard.has(number),
    );
    return [...owed.map((row) => this.#number(row)), ...onSocket.map(([number]) => number)];
  }

  /** Everything is over: holds what there is against what there should be. */
  judge(): void {
    const { disk } = this.#deps;
    const { rows } = disk;
    for (const [id, number] of this.#acknowledged) {
      this.#demand(disk.row(id) !== null, `I1 r${number} was acknowledged, and is lost`);
    }
    for (const [number, ids] of this.#keyed) {
      const holders = rows.filter((row) => this.#number(row) === number);
      this.#demand(ids.size === 1, `I9 r${number}: its key was told ${ids.size} jobs`);
      this.#demand(holders.length <= 1, `I9 r${number}: its key has ${holders.length} rows`);
    }
    for (const row of rows) this.#judgeRow(row);
    this.#judgeOrder();
    for (const [number, join] of this.#joins) this.#judgeWait(number, join);
    for (const [number, exchange] of this.#heard) this.#judgeHeard(number, exchange);
  }

  #judgeRow(row: SimRow): void {
    const { attempts, deaths, ending, id, isDurable, lastAttempt, state } = row;
    const number = this.#number(row);
    this.#demand(isEnd(state), `I1 r${number} is ${state} at the end`);
    if (!isDurable) return;
    const starts = this.#startsOf(number);
    const counts = `${starts.length} starts, ${attempts} attempts, last ${lastAttempt}`;
    this.#demand(starts.length <= lastAttempt, `I5 r${number}: ${counts}`);
    this.#demand(attempts <= attemptsMax, `I5 r${number}: ${counts}`);
    const counted = starts.filter(({ outcome }) => outcome !== "broken").length;
    this.#demand(counted <= attemptsMax + deaths, `I5 r${number}: ${counted} starts that answered`);
    const isPoison = ending?.reason === "poison_item";
    this.#demand(isPoison === deaths >= 3, `Q9 r${number}: ${ending?.reason}, ${deaths} deaths`);
    const isCancelled = state === "cancelled";
    const isAsked = this.#cancelAsked.has(number) && ending?.reason === "cancelled_by_user";
    this.#demand(!isCancelled || isAsked, `r${number}: ${ending?.reason}, and nobody asked for it`);
    const late = starts.length - (this.#startsAtCancel.get(number) ?? starts.length);
    this.#demand(late === 0, `I7 r${number} starts after its cancel was answered`);
    if (state === "failed" && !isPoison) this.#judgeFailure(number, row);
    if (state === "done") this.#judgeAnswer(number, this.#deps.disk.answerOf(id));
    this.#judgeHistory(number, row);
  }

  /** Nothing fails that had no reason to. */
  #judgeFailure(number: number, { ending }: SimRow): void {
    const { spells } = this.#deps.plan;
    const isSpoilt = spells.some(({ kind }) => kind === "away" || kind === "mute");
    const isIll = this.#plan(number).fates.some((fate) => fate !== "whole");
    this.#demand(isSpoilt || isIll, `r${number} failed for nothing: ${ending?.message}`);
  }

  /** Where nothing goes wrong, whoever stays is answered. */
  #judgeHeard(number: number, { isEnded, statusCode }: Exchange): void {
    const { deaths, spells } = this.#deps.plan;
    const { cancelAfterMs, fates, leaveAfterMs } = this.#plan(number);
    const isSpoilt =
      deaths.length > 0 || spells.length > 0 || fates.some((fate) => fate !== "whole");
    if (isSpoilt || cancelAfterMs !== null || leaveAfterMs !== null) return;
    this.#demand(isEnded && statusCode === 200, `r${number} was turned away for nothing`);
  }

  #judgeAnswer(number: number, answer: Answer | null): void {
    const last = this.#startsOf(number).at(-1);
    this.#demand(last?.outcome === "whole", `I3 r${number} is done, its start ${last?.outcome}`);
    const text = answer === null ? null : Buffer.from(answer.body).toString();
    this.#demand(text === last?.text, `I3 r${number}: kept is not what the target sent`);
    const isMarked = text?.includes('"done":true') ?? false;
    this.#demand(isMarked, `P5 r${number} is done without its end marker`);
  }

  #judgeHistory(number: number, row: SimRow): void {
    let previous: JobState | null = null;
    let attempts = 0;
    for (const [at, entry] of this.#deps.disk.historyOf(row.id).entries()) {
      const isNext = entry.n === at + 1 && entry.previousState === previous;
      const isLegal =
        previous === null ? entry.state === "queued" : mayBecome(previous, entry.state);
      this.#demand(isNext && isLegal, `events of r${number}: ${previous} → ${entry.state}`);
      const isStart = entry.state === "loading";
      const isBack = entry.state === "queued" || entry.state === "failed";
      const isGivenBack = isBack && refunded.includes(entry.why ?? "");
      attempts += isStart ? 1 : isGivenBack ? -1 : 0;
      previous = entry.state;
    }
    const counts = `${row.attempts} attempts, ${attempts} by its events`;
    this.#demand(row.attempts === attempts, `I5 r${number}: ${counts}`);
    this.#demand(previous === row.state, `events of r${number} end in ${previous}`);
  }

  #noteClaim({ arrival, class: jobClass, client, id, loadKey }: SimRow): void {
    this.#claims.push({ id, lane: `${jobClass} ${loadKey} ${client}`, arrival });
  }

  /** I6: of the jobs of one lane that were claimed once, the oldest went first. */
  #judgeOrder(): void {
    const times = Map.groupBy(this.#claims, ({ id }) => id);
    const once = this.#claims.filter(({ id }) => times.get(id)?.length === 1);
    for (const claims of Map.groupBy(once, ({ lane }) => lane).values()) {
      for (const [at, claim] of claims.entries()) {
        const before = claims[at - 1];
        const isInOrder = before === undefined || before.arrival < claim.arrival;
        this.#demand(isInOrder, `I6 ${this.nameOf(claim.id)} went after a younger one of its lane`);
      }
    }
  }

  /** People go before batches, but for those that the floor forces: one in 20 starts or 60 s. */
  #judgeWait(number: number, { atMs, life }: Join): void {
    if (this.#isBatch(number)) return;
    const own = this.#startsOf(number).find((start) => start.life === life);
    if (own === undefined) return;
    const between = this.#deps.starts.filter(
      (start) => start.life === life && start.atMs > atMs && start.atMs < own.atMs,
    );
    const batch = between.filter(({ request }) => this.#isBatch(request)).length;
    const forced = Math.floor(between.length / 20) + Math.floor((own.atMs - atMs) / 60_000);
    const underWay = this.#deps.plan.slots;
    this.#demand(batch <= underWay + forced + 1, `P3 r${number}: ${batch} batch starts before it`);
  }

  #isBatch(number: number): boolean {
    const plan = this.#plan(number);
    return plan.class === "batch" && (plan.way === "job" || plan.way === "unkeyed-job");
  }

  #startsOf(number: number): readonly Start[] {
    return this.#deps.starts.filter(({ request }) => request === number);
  }

  #plan(number: number): RequestPlan {
    const plan = this.#deps.plan.requests[number];
    assert.ok(plan, `no request ${number}`);
    return plan;
  }

  #number({ id }: SimRow): number {
    const number = this.#numbers.get(id);
    assert.ok(number !== undefined, `a row that nobody submitted: ${id}`);
    return number;
  }

  #demand(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }
}

/** Why an attempt that was given back does not count. */
const refunded = ["target_away", "shutdown", "daemon_died", "preempted", "poison_item"];

/** Which job a verb changes; null: it changes none, or several. */
export function jobOf(verb: WriteVerb): JobId | null {
  if (verb.kind === "insertJob") return verb.job.id;
  return "attempt" in verb || verb.kind === "endWaiting" ? verb.id : null;
}

function isEnd(state: JobState | undefined): boolean {
  return state !== undefined && transitions[state].length === 0;
}
