// Watches one world and holds it against foreman's promises: see docs/simulation.md.
import assert from "node:assert/strict";
import { type JobId, type JobState, mayBecome, transitions } from "../../src/job.ts";
import type { VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import type { Answer, Insertion } from "../../src/store/store.ts";
import { attemptsMax } from "./life.ts";
import type { Plan, RequestPlan, Work } from "./plan.ts";
import type { SimDisk, SimRow } from "./sim-disk.ts";
import type { Start } from "./sim-target.ts";
import type { Exchange } from "./sim-wire.ts";

type InsertJob = WriteVerb & { readonly kind: "insertJob" };

type Join = { readonly atMs: number; readonly life: number };

type RefereeDeps = {
  readonly plan: Plan;
  readonly works: ReadonlyMap<string, Work>;
  readonly disk: SimDisk;
  readonly starts: readonly Start[];
  readonly nowMs: () => number;
};

export class Referee {
  readonly violations: string[] = [];
  readonly #deps: RefereeDeps;
  /** By the hash of its body, which request it is. */
  readonly #bodies = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, JobId>();
  readonly #acknowledged = new Map<JobId, string>();
  readonly #keyed = new Map<string, Set<JobId>>();
  readonly #cancelAsked = new Set<string>();
  /** By request, how many starts it had when its cancel was answered. */
  readonly #startsAtCancel = new Map<string, number>();
  readonly #ends = new Map<JobId, string>();
  readonly #joins = new Map<string, Join>();
  readonly #heard = new Map<string, Exchange>();
  readonly #claims: { readonly id: JobId; readonly lane: string; readonly arrival: number }[] = [];

  constructor(deps: RefereeDeps) {
    this.#deps = deps;
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  /** Which request an id is of, for people; ids differ from run to run. */
  nameOf(id: string): string {
    return this.#names.get(id) ?? "?";
  }

  /** A client will send such a body. */
  expects(name: string, bodyHash: string): void {
    this.#bodies.set(bodyHash, name);
  }

  /** Its latest job, as an operator finds it in a list; null: it has none yet. */
  idOf(name: string): JobId | null {
    return this.#ids.get(name) ?? null;
  }

  /** It waits from now on, as a client sees it. */
  joined(name: string, life: number): void {
    this.#joins.set(name, { atMs: this.#deps.nowMs(), life });
  }

  get joins(): ReadonlyMap<string, Join> {
    return this.#joins;
  }

  /** It was not taken, and its client will come again. */
  turnedAway(name: string): void {
    this.#joins.delete(name);
  }

  acknowledged(name: string, id: JobId, hasKey: boolean): void {
    this.#acknowledged.set(id, name);
    if (hasKey) this.#keyed.set(name, (this.#keyed.get(name) ?? new Set()).add(id));
  }

  /** The cancel of a batch was answered: nothing of it starts again. */
  batchCancelAnswered(batch: string): void {
    this.#startsAtCancel.set(batch, this.#startsOfBatch(batch));
  }

  /** Who followed a job was told these states, up to its end. */
  followed(name: string, id: JobId, states: readonly string[]): void {
    const history = this.#deps.disk.historyOf(id).map(({ state }) => state);
    const isTold = history.join() === states.join();
    this.#demand(
      isTold,
      `E2 ${name}: its events told ${states.join()}, and it was ${history.join()}`,
    );
  }

  /** Whether some generation that came to its end said so. */
  wasSaid(name: string, content: string): boolean {
    return this.#startsOf(name).some(
      (start) => start.outcome === "whole" && start.said === content,
    );
  }

  asksToCancel(name: string): void {
    this.#cancelAsked.add(name);
  }

  /** The cancel of a durable job was answered: it has ended, so or otherwise. */
  cancelAnswered(name: string, id: JobId, told: string): void {
    const state = this.#deps.disk.row(id)?.state;
    const isEnded = isEnd(state) && isEnd(told as JobState);
    this.#demand(isEnded, `I7 ${name}: its cancel was answered, and it is ${state}`);
    this.#startsAtCancel.set(name, this.#startsOf(name).length);
  }

  /** What a client has in its hands when it wants no more. */
  heard(name: string, exchange: Exchange): void {
    this.#heard.set(name, exchange);
    const { isEnded, statusCode } = exchange;
    if (!isEnded || statusCode !== 200) return;
    // Whoever waited long was sent spaces before.
    const text = exchange.text.trimStart();
    if (text.startsWith('{"error"')) return;
    const isMarked = text.includes('"done":true');
    // What the target ends as if it were whole is passed on as it came.
    const isUnmarked = this.#work(name).fates.includes("unmarked");
    this.#demand(isMarked || isUnmarked, `P5 ${name}: half an answer ends like a whole one`);
    const isSent = this.#startsOf(name).some((start) => start.text === text);
    this.#demand(isSent, `I3 ${name}: its client heard what no start sent: ${exchange.text}`);
  }

  /** A verb was committed. */
  applied(verb: WriteVerb, answer: VerbAnswer, life: number): void {
    const id = jobOf(verb);
    if (verb.kind === "insertJob") this.#noteInsert(verb, answer as Insertion, life);
    const row = id === null ? null : this.#deps.disk.row(id);
    if (row === null) return;
    if (verb.kind === "claim" && answer === "claimed" && row.isDurable) this.#noteClaim(row);
    const end = row.ending === null ? null : JSON.stringify([row.state, row.ending]);
    const before = this.#ends.get(row.id) ?? null;
    const isKept = before === null || before === end;
    this.#demand(isKept, `I2 ${this.nameOf(row.id)}: its end was changed`);
    if (end !== null) this.#ends.set(row.id, end);
  }

  #noteInsert({ forItem, job }: InsertJob, { kind }: Insertion, life: number): void {
    const { bodyHash, id, isDurable } = job;
    const item = forItem && this.#deps.disk.requestIdOf(forItem);
    const name = item ?? this.#bodies.get(bodyHash);
    if (name === undefined || kind !== "inserted") return;
    this.#names.set(id, name);
    this.#ids.set(name, id);
    if (isDurable) this.joined(name, life);
  }

  /** Requests that foreman owes an end: durable jobs without one, and clients of `life` that wait. */
  open(life: number): readonly string[] {
    const { owed } = this.#deps.disk;
    const onSocket = [...this.#joins].filter(
      ([name, join]) =>
        this.#plan(name)?.way === "chat" && join.life === life && !this.#heard.has(name),
    );
    return [...owed.map((row) => this.#name(row)), ...onSocket.map(([name]) => name)];
  }

  /** Everything is over: holds what there is against what there should be. */
  judge(): void {
    const { disk } = this.#deps;
    const { rows } = disk;
    for (const [id, name] of this.#acknowledged) {
      this.#demand(disk.row(id) !== null, `I1 ${name} was acknowledged, and is lost`);
    }
    for (const [name, ids] of this.#keyed) {
      const holders = rows.filter((row) => this.#name(row) === name);
      this.#demand(ids.size === 1, `I9 ${name}: its key was told ${ids.size} jobs`);
      this.#demand(holders.length <= 1, `I9 ${name}: its key has ${holders.length} rows`);
    }
    for (const row of rows) this.#judgeRow(row);
    const durable = rows.filter(({ isDurable }) => isDurable);
    for (const [name, own] of Map.groupBy(durable, (row) => this.#name(row))) {
      this.#judgeStarts(name, own);
    }
    for (const [number] of this.#deps.plan.batches.entries()) this.#judgeCancelled(`b${number}`);
    this.#judgeOrder();
    for (const [name, join] of this.#joins) this.#judgeWait(name, join);
    for (const [name, exchange] of this.#heard) this.#judgeHeard(name, exchange);
  }

  #judgeRow(row: SimRow): void {
    const { attempts, deaths, ending, id, isDurable, state } = row;
    const name = this.#name(row);
    this.#demand(isEnd(state), `I1 ${name} is ${state} at the end`);
    if (!isDurable) return;
    const starts = this.#startsOf(name);
    this.#demand(attempts <= attemptsMax, `I5 ${name}: ${attempts} attempts`);
    const isPoison = ending?.reason === "poison_item";
    this.#demand(isPoison === deaths >= 3, `Q9 ${name}: ${ending?.reason}, ${deaths} deaths`);
    const isCancelled = state === "cancelled";
    const [batch = name] = name.split(".");
    const isWanted = this.#cancelAsked.has(name) || this.#cancelAsked.has(batch);
    const isAsked = isWanted && ending?.reason === "cancelled_by_user";
    this.#demand(!isCancelled || isAsked, `${name}: ${ending?.reason}, and nobody asked for it`);
    const late = starts.length - (this.#startsAtCancel.get(name) ?? starts.length);
    this.#demand(late === 0, `I7 ${name} starts after its cancel was answered`);
    if (state === "failed" && !isPoison) this.#judgeFailure(name, row);
    // What an item's job kept goes when the item has its result.
    const isRequest = name.startsWith("r");
    if (state === "done" && isRequest) this.#judgeAnswer(name, this.#deps.disk.answerOf(id));
    this.#judgeHistory(name, row);
  }

  #judgeCancelled(batch: string): void {
    const starts = this.#startsOfBatch(batch);
    const late = starts - (this.#startsAtCancel.get(batch) ?? starts);
    this.#demand(late === 0, `I7 ${batch}: ${late} items start after its cancel was answered`);
  }

  /** An item may have had several jobs: one for each answer that was to be mended, and each retry. */
  #judgeStarts(name: string, rows: readonly SimRow[]): void {
    const starts = this.#startsOf(name);
    const claims = rows.reduce((sum, { lastAttempt }) => sum + lastAttempt, 0);
    this.#demand(starts.length <= claims, `I5 ${name}: ${starts.length} starts, ${claims} claims`);
    const counted = starts.filter(({ outcome }) => outcome !== "broken").length;
    const countedMax = rows.reduce((sum, { deaths }) => sum + deaths + attemptsMax, 0);
    this.#demand(counted <= countedMax, `I5 ${name}: ${counted} starts that answered`);
  }

  /** Nothing fails that had no reason to. */
  #judgeFailure(name: string, { ending }: SimRow): void {
    const { spells } = this.#deps.plan;
    const isSpoilt = spells.some(({ kind }) => kind === "away" || kind === "mute");
    const isIll = this.#work(name).fates.some((fate) => fate !== "whole");
    this.#demand(isSpoilt || isIll, `${name} failed for nothing: ${ending?.message}`);
  }

  /** Where nothing goes wrong, whoever stays is answered. */
  #judgeHeard(name: string, { isEnded, statusCode }: Exchange): void {
    const { deaths, spells } = this.#deps.plan;
    const plan = this.#plan(name);
    assert.ok(plan, `no request ${name}`);
    const { cancelAfterMs, fates, leaveAfterMs } = plan;
    const isSpoilt =
      deaths.length > 0 || spells.length > 0 || fates.some((fate) => fate !== "whole");
    if (isSpoilt || cancelAfterMs !== null || leaveAfterMs !== null) return;
    this.#demand(isEnded && statusCode === 200, `${name} was turned away for nothing`);
  }

  #judgeAnswer(name: string, answer: Answer | null): void {
    const last = this.#startsOf(name).at(-1);
    this.#demand(last?.outcome === "whole", `I3 ${name} is done, its start ${last?.outcome}`);
    const text = answer === null ? null : Buffer.from(answer.body).toString();
    this.#demand(text === last?.text, `I3 ${name}: kept is not what the target sent`);
    const isMarked = text?.includes('"done":true') ?? false;
    this.#demand(isMarked, `P5 ${name} is done without its end marker`);
  }

  #judgeHistory(name: string, row: SimRow): void {
    let previous: JobState | null = null;
    let attempts = 0;
    for (const [at, entry] of this.#deps.disk.historyOf(row.id).entries()) {
      const isNext = entry.n === at + 1 && entry.previousState === previous;
      const isLegal =
        previous === null ? entry.state === "queued" : mayBecome(previous, entry.state);
      this.#demand(isNext && isLegal, `events of ${name}: ${previous} → ${entry.state}`);
      const isStart = entry.state === "loading";
      const isBack = entry.state === "queued" || entry.state === "failed";
      const isGivenBack = isBack && refunded.includes(entry.why ?? "");
      attempts += isStart ? 1 : isGivenBack ? -1 : 0;
      previous = entry.state;
    }
    const counts = `${row.attempts} attempts, ${attempts} by its events`;
    this.#demand(row.attempts === attempts, `I5 ${name}: ${counts}`);
    this.#demand(previous === row.state, `events of ${name} end in ${previous}`);
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
  #judgeWait(name: string, { atMs, life }: Join): void {
    if (this.#work(name).isBatch) return;
    const own = this.#startsOf(name).find((start) => start.life === life);
    if (own === undefined) return;
    const between = this.#deps.starts.filter(
      (start) => start.life === life && start.atMs > atMs && start.atMs < own.atMs,
    );
    const batch = between.filter((start) => this.#work(start.name).isBatch).length;
    const forced = Math.floor(between.length / 20) + Math.floor((own.atMs - atMs) / 60_000);
    const underWay = this.#deps.plan.slots;
    this.#demand(batch <= underWay + forced + 1, `P3 ${name}: ${batch} batch starts before it`);
  }

  #startsOfBatch(batch: string): number {
    return this.#deps.starts.filter(({ name }) => name.startsWith(`${batch}.`)).length;
  }

  #startsOf(name: string): readonly Start[] {
    return this.#deps.starts.filter((start) => start.name === name);
  }

  /** Null for an item. */
  #plan(name: string): RequestPlan | null {
    const isRequest = name.startsWith("r");
    return (isRequest && this.#deps.plan.requests[Number(name.slice(1))]) || null;
  }

  #work(name: string): Work {
    const work = this.#deps.works.get(name);
    assert.ok(work, `nobody asks for ${name}`);
    return work;
  }

  #name({ id }: SimRow): string {
    const name = this.#names.get(id);
    assert.ok(name !== undefined, `a row that nobody submitted: ${id}`);
    return name;
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
