// One world from its plan to its end, in virtual time.
import { setImmediate as settled } from "node:timers/promises";
import { createLog } from "../../src/log.ts";
import type { VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { SeededRandom } from "../support/sim-ollama/seeded-random.ts";
import { Auditor } from "./auditor.ts";
import { BatchReferee } from "./batch-referee.ts";
import { isSteady, judgeBounds, type Promises, promises } from "./judge-bounds.ts";
import { judgeWebhooks } from "./judge-webhooks.ts";
import { hookSecret, Life } from "./life.ts";
import { LifeClock } from "./life-clock.ts";
import { type DeathPlan, type Plan, type SpellPlan, type Work, worksOf } from "./plan.ts";
import { jobOf, Referee } from "./referee.ts";
import { SimBatchClient } from "./sim-batch-client.ts";
import { SimClient } from "./sim-client.ts";
import { SimDisk } from "./sim-disk.ts";
import { ingestHere } from "./sim-ingest.ts";
import { SimReceivers } from "./sim-receivers.ts";
import { simStore, type Tamper } from "./sim-store.ts";
import { SimTarget } from "./sim-target.ts";
import { Trace } from "./trace.ts";

export type Report = {
  readonly violations: readonly string[];
  readonly trace: Trace;
  readonly lives: number;
  readonly starts: number;
  readonly ends: Readonly<Record<string, number>>;
};

/** Breaks one rule of the world, to show that somebody notices. */
export type Sabotage = {
  /** Stands in the place of a verb of the store. */
  readonly tamper?: Tamper;
  /** The target notices so late that it was cut off, in ms. */
  readonly noticeMs?: number;
  /** The last byte of each answer is lost between the target and foreman. */
  readonly isLossy?: boolean;
  /** The daemon lets everybody in. */
  readonly isOpen?: boolean;
  /** What the referee believes that the daemon promises, where it does not. */
  readonly promises?: Partial<Promises>;
  /** Settings of the daemon, in the place of those that the referee knows. */
  readonly settings?: Readonly<Record<string, string>>;
  /** One client weighs so much more than it was told. */
  readonly weight?: number;
  /** Receivers know another secret than the daemon. */
  readonly hookSecret?: string;
  /** The daemon has so many slots more than it was told. */
  readonly slotsMore?: number;
  /** What of the disk is lost at each death. */
  readonly onDeath?: (disk: SimDisk) => void;
  /** The daemon hears nothing any more of what falls due from then on. */
  readonly freezesAtMs?: number;
  /** The plan that the daemon's clients follow, while the referee knows the true one. */
  readonly clients?: (plan: Plan) => Plan;
};

type Options = { readonly sabotage?: Sabotage; readonly isLogged?: boolean };

const stepMs = 500;

/** Past this a world that should be over is taken to hang. */
const endMs = 1_200_000;

/** Foreman has no reason to let a target idle for longer, once all is well. */
const idleMsMax = 20_000;

/** After the last is content: backoffs, heartbeats and timers that nobody should need. */
const afterMs = 15_000;

/** Questions are answered within this, with nothing to do. */
const auditMs = 200;

/** With nothing to do, a stop takes no more than this. */
const stopMsMax = 30_000;

export async function simulate(plan: Plan, options: Options = {}): Promise<Report> {
  const world = new World(plan, options);
  try {
    await world.run();
    return world.report;
  } finally {
    world.close();
  }
}

class World {
  readonly #plan: Plan;
  readonly #sabotage: Sabotage;
  readonly #isLogged: boolean;
  readonly #clock = new ManualClock();
  readonly #disk = SimDisk.take();
  readonly #random: SeededRandom;
  readonly #trace = new Trace(() => this.#clock.monotonicMs());
  readonly #target: SimTarget;
  readonly #referee: Referee;
  readonly #spells = new Set<SpellPlan>();
  readonly #works: ReadonlyMap<string, Work>;
  readonly #receivers: SimReceivers;
  readonly #batchReferee: BatchReferee;
  #life: Life | null = null;
  #lives = 0;
  #armed: DeathPlan | null = null;
  #deathsLeft: number;
  #spellsLeft: number;
  #wellSinceMs = 0;

  constructor(plan: Plan, { isLogged = false, sabotage = {} }: Options) {
    this.#plan = plan;
    this.#sabotage = sabotage;
    this.#isLogged = isLogged;
    this.#random = new SeededRandom(String(plan.chance));
    this.#deathsLeft = plan.deaths.length;
    this.#spellsLeft = plan.spells.length;
    const note = (what: string) => this.#trace.note(what);
    const works = worksOf(plan);
    this.#works = works;
    this.#target = new SimTarget({
      ...{ ...plan, works, clock: this.#clock, random: this.#random, note },
      violated: (what) => this.#violated(what),
      mayDie: (moment) => this.#mayDie(moment),
      ...{ noticeMs: sabotage.noticeMs, isLossy: sabotage.isLossy },
    });
    this.#batchReferee = new BatchReferee({
      disk: this.#disk,
      violated: (what) => this.#violated(what),
    });
    this.#receivers = new SimReceivers({ clock: this.#clock, note });
    this.#referee = new Referee({
      ...{ plan, works, disk: this.#disk, starts: this.#target.starts },
      nowMs: () => this.#clock.monotonicMs(),
    });
  }

  get report(): Report {
    const ends: Record<string, number> = {};
    for (const { state } of this.#disk.rows) ends[state] = (ends[state] ?? 0) + 1;
    const { violations } = this.#referee;
    const starts = this.#target.starts.length;
    return { violations, trace: this.#trace, lives: this.#lives, starts, ends };
  }

  async run(): Promise<void> {
    const { clients: bent = (plan: Plan) => plan } = this.#sabotage;
    this.#begin();
    for (const spell of this.#plan.spells) this.#arrange(spell);
    for (const spell of this.#plan.hookSpells) {
      this.#clock.after(spell.atMs, () => this.#receivers.begin(spell));
      this.#clock.after(spell.atMs + spell.forMs, () => this.#receivers.end(spell));
    }
    for (const death of this.#plan.deaths) this.#clock.after(death.atMs, () => this.#strike(death));
    const { clock, referee, note } = this.#forClients;
    const { batches, requests } = bent(this.#plan);
    const deps = { clock, referee, note, life: () => this.#life };
    const clients = [
      ...requests.map((request, number) => new SimClient(number, request, deps)),
      ...batches.map((batch, number) => new SimBatchClient(number, batch, deps)),
    ];
    let content = 0;
    for (const client of clients) {
      void client.run().then(() => {
        content += 1;
      });
    }
    const isStill = () => this.#deathsLeft === 0 && this.#spellsLeft === 0 && this.#isWell;
    const isDone = () => content === clients.length && isStill() && this.#open().length === 0;
    const isOver = () => isDone() && this.#disk.outboxDepth === 0;
    while (!isOver() && this.#clock.monotonicMs() < endMs) {
      // Receivers that failed are told again minutes later.
      await this.#clock.advance(isDone() ? 10 * stepMs : stepMs);
      this.#look();
      if (this.#referee.violations.length > 0) break;
    }
    if (!isOver() && this.#referee.violations.length === 0) {
      const open = `open: ${this.#open().join(", ")}, ${this.#disk.outboxDepth} webhooks left`;
      this.#violated(`it hangs: ${content} clients content, ${open}`);
    }
    if (this.#referee.violations.length === 0) await this.#end();
  }

  close(): void {
    this.#disk.release();
  }

  get #forClients() {
    const note = (what: string) => this.#trace.note(what);
    return { clock: this.#clock, referee: this.#referee, note };
  }

  /** Lets what is left fall due, looks at what the daemon holds, and stops it in order. */
  async #end(): Promise<void> {
    this.#armed = null;
    await this.#clock.advance(afterMs);
    const life = this.#life;
    if (!life?.isServing) return this.#violated("it does not serve at the end");
    await this.#audit(life);
    const pending = life.clock.pendingCount;
    if (pending > timersMax) this.#violated(`${pending} timers pending with nothing to do`);
    let isStopped = false;
    void this.#stopInOrder(0).then(() => {
      isStopped = true;
    });
    for (let waitedMs = 0; !isStopped && waitedMs < stopMsMax; waitedMs += stepMs) {
      await this.#clock.advance(stepMs);
    }
    if (!isStopped) this.#violated("it does not stop");
    this.#referee.judge();
    this.#judgeBounds();
    const { hookSecret: secret = hookSecret } = this.#sabotage;
    const { told } = this.#receivers;
    const nameOf = (id: string) => this.#referee.nameOf(id);
    for (const what of judgeWebhooks({ disk: this.#disk, told, secret, nameOf }))
      this.#violated(what);
  }

  /** What foreman says of itself, and of each job, with nothing to do. */
  async #audit(life: Life): Promise<void> {
    const auditor = new Auditor({
      ...{ life, disk: this.#disk, starts: this.#target.starts },
      isItem: (id) => this.#referee.nameOf(id).startsWith("b"),
    });
    const audited = auditor.audit().then((found) => {
      for (const what of found) this.#violated(what);
    });
    await this.#clock.advance(auditMs);
    const isOver = await Promise.race([audited.then(() => true), settled(false)]);
    if (!isOver) this.#violated("it does not answer with nothing to do");
  }

  #judgeBounds(): void {
    if (!isSteady(this.#plan)) return;
    const { starts } = this.#target;
    const { joins } = this.#referee;
    const promised = { ...promises, ...this.#sabotage.promises };
    const facts = { plan: this.#plan, works: this.#works, starts, joins, promises: promised };
    for (const what of judgeBounds(facts)) this.#violated(what);
  }

  #begin(): void {
    this.#lives += 1;
    const clock = new LifeClock(this.#clock);
    const life = new Life(this.#lives, clock);
    this.#life = life;
    this.#trace.note(`life ${life.number} begins`);
    const { isOpen = false, settings = {}, slotsMore = 0, weight = 1 } = this.#sabotage;
    const fall = () => this.#fall(life, 1_000);
    const random = () => this.#random.next(1_000_000) / 1_000_000;
    const store = simStore(this.#disk, {
      ...{ clock, random: this.#random, onFatal: fall },
      disk: () => ({ isFull: this.#is("disk-full"), isSlow: this.#is("disk-slow") }),
      mayDie: (moment) => this.#mayDie(moment),
      mayFail: () => this.#mayFail(),
      onApplied: (verb, outcome) => this.#noteApplied(verb, outcome),
      tamper: this.#sabotage.tamper ?? null,
    });
    const started = life.start({
      ...{
        random,
        store,
        settings: { isOpen, more: settings, slots: this.#plan.slots + slotsMore, weight },
      },
      log: createLog(this.#isLogged ? "debug" : "silent", { write: (line) => this.#log(line) }),
      target: this.#target.of(life.number),
      startIngest: ingestHere,
      connect: this.#receivers.connectorOf(life.number),
    });
    started.then(
      () => this.#trace.note(`life ${life.number} serves`),
      (cause: unknown) => {
        if (clock.isDead) return;
        this.#trace.note(`life ${life.number} cannot start: ${String(cause)}`);
        fall();
      },
    );
  }

  #arrange(spell: SpellPlan): void {
    const { atMs, forMs, kind } = spell;
    this.#clock.after(atMs, () => {
      this.#trace.note(`${kind} begins`);
      this.#spells.add(spell);
      if (kind === "away") this.#target.goAway();
      else this.#setSpell();
    });
    this.#clock.after(atMs + forMs, () => {
      this.#trace.note(`${kind} ends`);
      this.#spellsLeft -= 1;
      this.#spells.delete(spell);
      this.#setSpell();
    });
  }

  #setSpell(): void {
    this.#target.spell = this.#is("away") ? "away" : this.#is("mute") ? "mute" : null;
  }

  #is(kind: SpellPlan["kind"]): boolean {
    return [...this.#spells].some((spell) => spell.kind === kind);
  }

  #strike(death: DeathPlan): void {
    this.#deathsLeft -= 1;
    if (this.#life === null || this.#armed !== null) return;
    if (death.moment === "now") this.#fall(this.#life, death.downMs);
    else if (death.moment === "drain") void this.#stopInOrder(death.downMs);
    else this.#armed = death;
  }

  #mayDie(moment: DeathPlan["moment"]): boolean {
    if (this.#armed?.moment !== moment || this.#life === null) return false;
    this.#fall(this.#life, this.#armed.downMs);
    return true;
  }

  #mayFail(): boolean {
    if (this.#armed?.moment !== "fatal") return false;
    this.#armed = null;
    return true;
  }

  /** The process is gone: what it held in memory, its sockets and its timers. */
  #fall(life: Life, downMs: number): void {
    if (life !== this.#life || life.clock.isDead) return;
    this.#trace.note(`life ${life.number} dies`);
    this.#armed = null;
    this.#life = null;
    life.die();
    this.#disk.abandon();
    this.#target.noteDeath(life.number);
    this.#receivers.noteDeath(life.number);
    this.#sabotage.onDeath?.(this.#disk);
    this.#clock.after(downMs, () => this.#begin());
  }

  async #stopInOrder(downMs: number): Promise<void> {
    const life = this.#life;
    if (!life?.isServing) return;
    this.#trace.note(`life ${life.number} drains`);
    const orphans = await life.stop();
    if (orphans === "gone") return;
    this.#trace.note(`life ${life.number} stopped`);
    if (orphans.length > 0 && !this.#is("disk-full")) this.#violated(`orphans: ${orphans}`);
    if (downMs > 0) this.#fall(life, downMs);
    else life.die();
  }

  #noteApplied(verb: WriteVerb, answer: VerbAnswer): void {
    this.#referee.applied(verb, answer, this.#lives);
    this.#batchReferee.applied(verb, answer);
    const id = jobOf(verb);
    const word = typeof answer === "object" && answer && "kind" in answer ? answer.kind : answer;
    if (id === null || typeof word !== "string") return;
    const nth = "attempt" in verb ? ` #${verb.attempt}` : "";
    this.#trace.note(`store: ${verb.kind} ${this.#referee.nameOf(id)}${nth}: ${word}`);
  }

  #log(line: string): void {
    const {
      level: _level,
      time: _time,
      msg,
      ...facts
    } = JSON.parse(line) as Record<string, unknown>;
    if (typeof facts.jobId === "string") facts.jobId = this.#referee.nameOf(facts.jobId);
    this.#trace.note(`    log: ${String(msg)} ${JSON.stringify(facts)}`);
  }

  #open(): readonly string[] {
    return this.#referee.open(this.#life?.number ?? 0);
  }

  /** Work is conserved: while all is well, and something may run, the target does not idle. */
  #look(): void {
    if (this.#plan.batches.length > 0) this.#batchReferee.look();
    const nowMs = this.#clock.monotonicMs();
    const open = this.#open();
    if (!this.#isWell || open.length === 0) this.#wellSinceMs = nowMs;
    const idleMs = nowMs - Math.max(this.#wellSinceMs, this.#target.busyAtMs);
    if (idleMs > idleMsMax) this.#violated(`idle for ${idleMs} ms while ${open.join(", ")} wait`);
  }

  get #isWell(): boolean {
    return this.#spells.size === 0 && this.#life?.isServing === true;
  }

  #violated(what: string): void {
    this.#trace.note(`VIOLATED: ${what}`);
    this.#referee.violated(what);
  }
}

/** Heartbeat, pruning, poll and watch dogs of an idle daemon. */
const timersMax = 12;
