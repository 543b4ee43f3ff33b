import { type Clock, isoTime, type Timer } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Delivery } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";
import type { Status } from "../wire/status.ts";
import { messageOf } from "./message.ts";
import type { Post, Receipt } from "./post.ts";
import { originOf, perReceiverMax, Receivers } from "./receivers.ts";
import { retryWaitMs } from "./retry-schedule.ts";

/**
 * How long the changes of jobs are gathered before the outbox is looked into. Every chat makes a
 * few of them, and few of them have anything to tell: so many looks a second are the most they
 * cost.
 */
const gatherMs = 20;

/** A look into the outbox at least so often while it waits for a time to come: clocks jump. */
const lookAgainMsMax = 60_000;

/** How soon the store is asked again that could not read or write. */
const storeAgainMs = 5_000;

/** How long deliveries under way may take at a stop before they are cut. */
const stopGraceMs = 3_000;

/** Of each receiver so many are read: as many as may be under way, and as many to begin with. */
const readPerReceiver = perReceiverMax * 2;

type DelivererDeps = {
  readonly store: Pick<Store, "outbox" | "job" | "answer">;
  readonly post: Post;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  readonly random: () => number;
  readonly log: Log;
  /** Called after each try. */
  readonly onReceipt: (kind: Receipt["kind"]) => void;
};

/**
 * Empties the outbox: what is due is posted, what was received goes, what failed is noted with the
 * time of its next try. All that must last is in the store; in memory is what is under way, so that
 * a daemon that dies sends again what it cannot know to be received. Nobody waits for it.
 */
export class Deliverer {
  readonly #deps: DelivererDeps;
  readonly #log: Log;
  readonly #receivers = new Receivers();
  readonly #underWay = new Set<Promise<void>>();
  readonly #cut = new AbortController();
  #timer: { readonly atMs: number; readonly timer: Timer } | null = null;
  #looking: Promise<void> | null = null;
  #isAsked = false;
  #isStopping = false;

  constructor(deps: DelivererDeps) {
    this.#deps = deps;
    this.#log = deps.log.child({ component: "webhook" });
  }

  /** What is left to be told, and which receivers fail, as the status shows it. */
  async status(): Promise<Status["webhooks"]> {
    const { left, oldestAtMs } = await this.#deps.store.outbox.depth();
    const failing = this.#receivers.failing.map(({ failures, origin, problem }) => ({
      ...{ receiver: origin, failures },
      last_error: problem,
    }));
    return { left, oldest_at: isoTime(oldestAtMs), failing };
  }

  /** The same in numbers; `oldestAtMs` is a wall clock reading. */
  async backlog() {
    const { left, oldestAtMs } = await this.#deps.store.outbox.depth();
    return { left, oldestAtMs, failingCount: this.#receivers.failing.length };
  }

  /** Begins with what an earlier life left. */
  start(): void {
    this.#look();
  }

  /** Something may have to be told. Cheap, and never fails. */
  wake(): void {
    this.#lookIn(gatherMs);
  }

  /** Resolves when nothing is under way any more; what was cut stays in the outbox. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.timer.cancel();
    await this.#looking;
    const grace = new AbortController();
    const over = Promise.all(this.#underWay).then(() => grace.abort());
    await this.#deps.clock.sleep(stopGraceMs, grace.signal);
    this.#cut.abort();
    await over;
  }

  #lookIn(ms: number): void {
    if (this.#isStopping) return;
    const atMs = this.#deps.clock.monotonicMs() + ms;
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    const timer = this.#deps.clock.after(ms, () => {
      this.#timer = null;
      this.#look();
    });
    this.#timer = { atMs, timer };
  }

  /** One look at a time; whoever asks meanwhile gets another one after it. */
  #look(): void {
    this.#isAsked = true;
    if (this.#looking !== null || this.#isStopping) return;
    this.#looking = this.#lookWhileAsked();
  }

  async #lookWhileAsked(): Promise<void> {
    const { clock, store } = this.#deps;
    while (this.#isAsked && !this.#isStopping) {
      this.#isAsked = false;
      try {
        const nowMs = clock.wallMs();
        this.#receivers.noteReading();
        const { deliveries, nextAtMs } = await store.outbox.due(nowMs, readPerReceiver);
        if (this.#isStopping) return;
        for (const delivery of this.#receivers.choose(deliveries)) this.#begin(delivery);
        if (nextAtMs !== null) this.#lookIn(Math.min(nextAtMs - nowMs, lookAgainMsMax));
      } catch (cause) {
        this.#log.error({ err: cause }, "outbox not read");
        this.#lookIn(storeAgainMs);
      }
    }
    // In the same breath as the last question whether somebody asked.
    this.#looking = null;
  }

  #begin(delivery: Delivery): void {
    const delivering = this.#deliver(delivery).finally(() => {
      this.#underWay.delete(delivering);
      this.#receivers.over(delivery);
      this.#look();
    });
    this.#underWay.add(delivering);
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const receipt = await this.#attempt(delivery);
    const {
      onReceipt,
      store: { outbox },
    } = this.#deps;
    onReceipt(receipt.kind);
    const { jobId, seq, transition, tries } = delivery;
    const facts = {
      jobId,
      state: transition.state,
      receiver: originOf(delivery),
      tries: tries + 1,
    };
    switch (receipt.kind) {
      case "received":
        this.#receivers.clear(delivery);
        this.#log.info(facts, "webhook received");
        await this.#insist(() => outbox.noteDelivered(seq));
        break;
      case "gone":
        this.#receivers.clear(delivery);
        this.#log.warn(facts, "webhook given up: the receiver answered 410, no more of this job");
        await this.#insist(() => outbox.endWebhook(seq));
        break;
      case "failed":
        await this.#noteFailed(delivery, receipt, facts);
        break;
      case "cut":
        break;
      default:
        receipt satisfies never;
    }
  }

  async #attempt(delivery: Delivery): Promise<Receipt> {
    const { post, store } = this.#deps;
    try {
      const message = await messageOf(delivery, store);
      // Forgotten together with its job.
      if (message === null) return { kind: "received" };
      return await post(message, this.#cut.signal);
    } catch (cause) {
      this.#log.error({ err: cause, jobId: delivery.jobId }, "webhook not composed");
      return { kind: "failed", problem: "foreman could not compose it", retryAfterMs: null };
    }
  }

  async #noteFailed(
    delivery: Delivery,
    { problem, retryAfterMs }: Extract<Receipt, { kind: "failed" }>,
    facts: object,
  ): Promise<void> {
    const { clock, random, store } = this.#deps;
    const { seq, tries } = delivery;
    const waitMs = retryWaitMs(tries + 1, retryAfterMs, random());
    if (waitMs === null) {
      this.#receivers.clear(delivery);
      this.#log.warn({ ...facts, problem }, "webhook given up: that was the last of its tries");
      await this.#insist(() => store.outbox.giveUp(seq));
      return;
    }
    this.#receivers.noteFailed(delivery, problem);
    const retryInS = Math.round(waitMs / 1_000);
    this.#log.warn({ ...facts, problem, retryInS }, "webhook not received");
    await this.#insist(() => store.outbox.noteFailed(seq, clock.wallMs() + waitMs));
  }

  /**
   * What cannot be written now is held, and its place with it, so that it is not sent on and on.
   */
  async #insist(write: () => Promise<void>): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#cut.signal.aborted) {
      try {
        await write();
        return;
      } catch (cause) {
        this.#log.error({ err: cause }, "outbox not written");
        await clock.sleep(storeAgainMs, this.#cut.signal);
      }
    }
  }
}
