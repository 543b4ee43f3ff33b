// What the clients of one world do, through the queue as the routes use it: they submit, listen,
// leave, cancel, and ask again with their key until they are answered.
import { createHash } from "node:crypto";
import type { Engine } from "../../src/build-engine.ts";
import type { ForemanError } from "../../src/errors.ts";
import type { Job, JobId } from "../../src/job.ts";
import { newJob } from "../../src/queue/new-job.ts";
import type { TargetFailure } from "../../src/target/target.ts";
import type { ManualClock } from "../support/manual-clock.ts";
import { RecordingWaiter } from "../support/recording-waiter.ts";
import type { Life } from "./life.ts";
import type { RequestPlan } from "./plan.ts";
import type { Referee } from "./referee.ts";
import { models } from "./sim-target.ts";

type ClientDeps = {
  readonly clock: ManualClock;
  /** The life that serves now; null while none does. */
  readonly serving: () => Life | null;
  readonly referee: Referee;
  readonly note: (what: string) => void;
};

type Serving = { readonly life: Life; readonly engine: Engine };

/** How soon a client asks again. */
const againMs = 700;

/** What becomes of a wait. */
type Heard = "over" | "gone" | "left";

export class SimClient {
  readonly #deps: ClientDeps;
  readonly #number: number;
  readonly #plan: RequestPlan;
  /** Virtual ms at which it leaves. */
  #leavesAtMs = Number.POSITIVE_INFINITY;

  constructor(number: number, plan: RequestPlan, deps: ClientDeps) {
    this.#number = number;
    this.#plan = plan;
    this.#deps = deps;
  }

  /** Resolves when it wants nothing more. */
  async run(): Promise<void> {
    const { clock } = this.#deps;
    const { atMs, leaveAfterMs, way } = this.#plan;
    await clock.sleep(atMs);
    if (leaveAfterMs !== null) this.#leavesAtMs = clock.monotonicMs() + leaveAfterMs;
    this.#note(`comes: ${way}`);
    if (way === "chat") await this.#chat();
    else if (way === "keyed") await this.#keyed();
    else await this.#submit();
    this.#note("is content");
  }

  async #chat(): Promise<void> {
    for (;;) {
      const { engine, life } = await this.#serving();
      if (this.#hasLeft) return;
      const waiter = new SimWaiter();
      const job = this.#job(engine, false);
      this.#deps.referee.named(job.id, this.#number);
      const submission = { job, method: "POST", rawHeaders: [], body: this.#body, waiter };
      const refusal = engine.queue.submit(submission);
      if (refusal !== null) {
        await this.#deps.clock.sleep(againMs);
        continue;
      }
      this.#deps.referee.joined(this.#number, life.number);
      void this.#cancelLater(job.id, life);
      const heard = await this.#hear(waiter, life);
      if (heard === "left") engine.queue.leave(job.id, "client_gone");
      this.#deps.referee.heard(this.#number, waiter);
      return;
    }
  }

  async #keyed(): Promise<void> {
    while (!this.#hasLeft) {
      const { engine, life } = await this.#serving();
      const submitted = await this.#submitted(engine, life, true);
      if (submitted === null) continue;
      const { id, isKnown } = submitted;
      const waiter = new SimWaiter();
      engine.queue.listeners.listen({ id, model: models[this.#plan.model]!.name }, waiter);
      const job = isKnown ? await life.answered(engine.store.job(id)) : null;
      if (job === "gone") continue;
      // It has ended: nobody will tell the waiter.
      if (job !== null && job.ending !== null && !waiter.hasAnswer) {
        engine.queue.listeners.stopListening(id, waiter);
        return;
      }
      const heard = await this.#hear(waiter, life);
      if (heard === "left") engine.queue.listeners.stopListening(id, waiter);
      this.#deps.referee.heard(this.#number, waiter);
      const isToldToComeAgain = waiter.refusal?.code === "draining";
      if (heard !== "gone" && !isToldToComeAgain) return;
      await this.#deps.clock.sleep(againMs);
    }
  }

  async #submit(): Promise<void> {
    const mayAskAgain = this.#plan.way === "job";
    for (;;) {
      const { engine, life } = await this.#serving();
      const submitted = await this.#submitted(engine, life, false);
      // Without a key it cannot know whether it was taken in, and must not ask twice.
      if (submitted !== null || (life.clock.isDead && !mayAskAgain)) return;
    }
  }

  /** Null: it was refused, or nobody answered; some time has passed. */
  async #submitted(
    engine: Engine,
    life: Life,
    hasClient: boolean,
  ): Promise<{ readonly id: JobId; readonly isKnown: boolean } | null> {
    const { clock, referee } = this.#deps;
    const job = this.#job(engine, true);
    const hasKey = this.#plan.way !== "unkeyed-job";
    referee.named(job.id, this.#number);
    const submission = {
      ...{ job, body: this.#body, webhookUrl: null, hasClient },
      idempotencyKey: hasKey ? `key ${this.#number}` : null,
    };
    const submitted = await life
      .answered(engine.queue.submitDurable(submission))
      .catch((error: ForemanError) => error);
    if (submitted === "gone" || submitted instanceof Error || submitted.kind === "unwanted") {
      this.#note(submitted instanceof Error ? `is refused: ${submitted.message}` : "hears nothing");
      await clock.sleep(againMs);
      return null;
    }
    const isKnown = submitted.kind === "known";
    const id = submitted.kind === "known" ? submitted.job.id : job.id;
    const isFirst = referee.acknowledged(this.#number, id, hasKey);
    if (!isKnown) referee.joined(this.#number, life.number);
    if (isFirst) void this.#cancelLater(id, null);
    return { id, isKnown };
  }

  /** A job on a socket is cancelled in the life that it joined, or not at all. */
  async #cancelLater(id: JobId, inLife: Life | null): Promise<void> {
    const { clock, referee } = this.#deps;
    const { cancelAfterMs } = this.#plan;
    if (cancelAfterMs === null) return;
    await clock.sleep(cancelAfterMs);
    referee.asksToCancel(this.#number);
    for (;;) {
      const { engine, life } = await this.#serving();
      if (inLife !== null && inLife !== life) return;
      const cancelled = await life
        .answered(engine.queue.cancels.one(id))
        .catch((error: ForemanError) => error);
      if (cancelled === "gone" || cancelled instanceof Error) {
        await clock.sleep(againMs);
        continue;
      }
      this.#note(`cancelled: ${cancelled}`);
      if (inLife === null) referee.cancelAnswered(this.#number, id);
      return;
    }
  }

  async #serving(): Promise<Serving> {
    for (;;) {
      const life = this.#deps.serving();
      const engine = life?.engine ?? null;
      if (life !== null && engine !== null) return { life, engine };
      await this.#deps.clock.sleep(againMs);
    }
  }

  async #hear(waiter: SimWaiter, life: Life): Promise<Heard> {
    const enough = new AbortController();
    const patienceMs = Math.max(0, this.#leavesAtMs - this.#deps.clock.monotonicMs());
    const left = Number.isFinite(patienceMs)
      ? this.#deps.clock.sleep(patienceMs, enough.signal).then((): Heard => "left")
      : new Promise<Heard>(() => {});
    const heard = await Promise.race([waiter.over.promise, life.over.promise, left]);
    enough.abort("heard");
    this.#note(`hears: ${heard} ${waiter.statusCode ?? waiter.refusal?.code ?? "nothing"}`);
    return heard;
  }

  get #hasLeft(): boolean {
    return this.#deps.clock.monotonicMs() >= this.#leavesAtMs;
  }

  get #body(): Buffer {
    const { model } = this.#plan;
    const messages = [{ role: "user", content: `r${this.#number}` }];
    return Buffer.from(JSON.stringify({ model: models[model]!.name, messages }));
  }

  #job({ clock }: Engine, isDurable: boolean): Job {
    const body = this.#body;
    const bodyHash = createHash("sha256").update(body).digest("hex");
    const { client, model, way } = this.#plan;
    const work = { client: `client ${client}`, route: "/api/chat", loadOptions: "" };
    const isJob = way === "job" || way === "unkeyed-job";
    return newJob(
      { ...work, body, bodyHash, model: models[model]!.name },
      { clock, isDurable, class: isJob ? this.#plan.class : "interactive" },
    );
  }

  #note(what: string): void {
    this.#deps.note(`client: r${this.#number} ${what}`);
  }
}

/** Says when there is nothing more to hear. */
export class SimWaiter extends RecordingWaiter {
  readonly over = Promise.withResolvers<"over">();

  override end(): void {
    super.end();
    this.over.resolve("over");
  }

  override failed(failure: TargetFailure): void {
    super.failed(failure);
    this.over.resolve("over");
  }

  override refuse(error: ForemanError): void {
    super.refuse(error);
    this.over.resolve("over");
  }
}
