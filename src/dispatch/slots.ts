import type { Clock } from "../clock.ts";
import type { JobId } from "../job.ts";
import type { WaitingJob } from "../queue/lanes.ts";
import { type PreemptLimits, preempt } from "../scheduler/preempt.ts";
import { isClientFull } from "../scheduler/schedule.ts";
import type { LaneSnapshot } from "../scheduler/snapshot.ts";
import type { Run } from "./run-job.ts";

/** A job that holds a slot. */
export type Running = {
  readonly waiting: WaitingJob;
  /** What it was started on: see `Runners.pin`. */
  readonly loadKey: string;
  /** The fence of its writes. */
  readonly attempt: number;
  readonly run: Run;
  /** Monotonic ms. */
  readonly startedAtMs: number;
  /** It was let through while people waited, because batch work was due. */
  readonly wasDue: boolean;
  /** Whether its model had to be loaded, so far as was known. */
  readonly isSwap: boolean;
  /** The pinned load key that had answered last when it started; null if none had. */
  readonly previousLoadKey: string | null;
};

/** What runs. */
export class Slots {
  readonly #running = new Map<JobId, Running>();
  readonly #clock: Clock;
  #idle = Promise.withResolvers<void>();
  #busyMs = 0;
  /** Monotonic ms since which something runs; null while nothing does. */
  #busySinceMs: number | null = null;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** How long something has run, in all: what runs side by side counts once. */
  get busyMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return this.#busyMs + nowMs - (this.#busySinceMs ?? nowMs);
  }

  get size(): number {
    return this.#running.size;
  }

  get all(): Running[] {
    return [...this.#running.values()];
  }

  get(id: JobId): Running | undefined {
    return this.#running.get(id);
  }

  take(running: Running): void {
    this.#running.set(running.waiting.job.id, running);
    this.#busySinceMs ??= running.startedAtMs;
  }

  free(id: JobId): void {
    this.#running.delete(id);
    if (this.#running.size > 0) return;
    this.#busyMs = this.busyMs;
    this.#busySinceMs = null;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** Resolves when nothing runs any more. */
  idle(): Promise<void> {
    return this.#running.size === 0 ? Promise.resolve() : this.#idle.promise;
  }

  /**
   * A batch item that has hardly begun makes way for one of the people, whose lanes these are. For
   * one whose client has its own slots in use only that client's items can.
   */
  makeWay(people: readonly LaneSnapshot[], nowMs: number, limits: PreemptLimits): void {
    const running = this.all.map(({ waiting }) => ({ client: waiting.job.client }));
    const isFull = (lane: LaneSnapshot) => isClientFull(lane, { running });
    const open = people.filter((lane) => !isFull(lane));
    let victim = this.#victim(this.all, open.length, nowMs, limits);
    for (const { client, clientSlots } of people.filter(isFull)) {
      const own = this.all.filter(({ waiting }) => waiting.job.client === client);
      const slots = clientSlots ?? limits.slots;
      victim ??= this.#victim(own, 1, nowMs, { ...limits, slots });
    }
    if (victim !== null) this.#running.get(victim)?.run.cut("preempted");
  }

  #victim(
    among: readonly Running[],
    interactiveWaiting: number,
    nowMs: number,
    limits: PreemptLimits,
  ): JobId | null {
    const running = among.map(({ startedAtMs, waiting, wasDue }) => ({
      jobId: waiting.job.id,
      class: waiting.job.class,
      mayRunAgain: waiting.job.isDurable && !waiting.waiter.hasAnswer,
      ranMs: nowMs - startedAtMs,
      preemptions: waiting.preemptions,
      wasDue,
    }));
    return preempt({ running, interactiveWaiting }, limits);
  }
}
