import type { Job, JobClass, JobId } from "../job.ts";
import type { RawHeaders } from "../target/target.ts";
import type { Waiter } from "./waiters.ts";

/** A job with all that is needed to run it, once its body is at hand. */
export type WaitingJob = {
  readonly job: Job;
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  /** Null for a durable job whose body is in the store. */
  readonly body: Buffer | null;
  readonly waiter: Waiter;
  /** Order of arrival over all lanes and lives: the only order there is inside a lane. */
  readonly arrival: number;
  /** Monotonic ms; the start of this life for a job of an earlier one. */
  readonly joinedAtMs: number;
  /** Attempts that count: one that found no target is given back. */
  attempts: number;
  /** The number of the latest attempt, counted or not: the fence of its writes. */
  lastAttempt: number;
  /** How often it made way for a person. */
  preemptions: number;
};

/** The number of the attempt that begins now, which counts until it is given back. */
export function nextAttempt(waiting: WaitingJob): number {
  waiting.lastAttempt += 1;
  waiting.attempts += 1;
  return waiting.lastAttempt;
}

/** Jobs that are alike to the scheduler. */
export type Lane = {
  readonly key: string;
  readonly class: JobClass;
  readonly loadKey: string;
  readonly client: string;
  readonly isDurable: boolean;
  /** In order of arrival. Of a durable lane the first ones alone: the rest waits in the store. */
  waiting: Map<JobId, WaitingJob>;
  /** How many wait in the store behind the last one in `waiting`. */
  storedBehind: number;
};

/** What makes jobs alike. */
export type LaneFacts = Pick<Lane, "class" | "loadKey" | "client" | "isDurable">;

/** How many jobs of a durable lane are kept in memory, so that a million cost what a few do. */
export const windowMax = 64;

/** All that waits, by lane. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #laneByJob = new Map<JobId, Lane>();
  #onSocket = 0;

  /** Jobs that wait on a client's socket. */
  get onSocket(): number {
    return this.#onSocket;
  }

  /** Those of them whose model, as a client spelled it, is such a one. */
  onSocketOf(isSuch: (model: string) => boolean): number {
    let count = 0;
    for (const { isDurable, waiting } of this.#lanes.values()) {
      const [head] = waiting.values();
      if (!isDurable && head !== undefined && isSuch(head.job.model)) count += waiting.size;
    }
    return count;
  }

  /** All jobs that wait, those in the store too. */
  get depth(): number {
    let depth = 0;
    for (const lane of this.#lanes.values()) depth += lane.waiting.size + lane.storedBehind;
    return depth;
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** The lane of such jobs; null if none waits. */
  find(facts: LaneFacts): Lane | null {
    return this.#lanes.get(keyOf(facts)) ?? null;
  }

  /** The lane of such jobs, made if it is not there. */
  laneOf(facts: LaneFacts): Lane {
    const key = keyOf(facts);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const { class: jobClass, client, isDurable, loadKey } = facts;
      const common = { key, class: jobClass, loadKey, client, isDurable };
      lane = { ...common, waiting: new Map(), storedBehind: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Puts the youngest job of its lane at its end. */
  append(waiting: WaitingJob): Lane {
    const lane = this.laneOf(waiting.job);
    lane.waiting.set(waiting.job.id, waiting);
    this.#laneByJob.set(waiting.job.id, lane);
    if (!waiting.job.isDurable) this.#onSocket += 1;
    return lane;
  }

  /** Puts a job where its arrival belongs. */
  insert(waiting: WaitingJob): Lane {
    const lane = this.append(waiting);
    lane.waiting = new Map([...lane.waiting].sort(([, a], [, b]) => a.arrival - b.arrival));
    return lane;
  }

  /** Takes a job out; null if it is not in memory. */
  remove(id: JobId): WaitingJob | null {
    const lane = this.#laneByJob.get(id);
    const waiting = lane?.waiting.get(id);
    if (lane === undefined || waiting === undefined) return null;
    lane.waiting.delete(id);
    this.#laneByJob.delete(id);
    if (!waiting.job.isDurable) this.#onSocket -= 1;
    this.dropIfEmpty(lane);
    return waiting;
  }

  dropIfEmpty(lane: Lane): void {
    if (lane.waiting.size === 0 && lane.storedBehind === 0) this.#lanes.delete(lane.key);
  }

  has(id: JobId): boolean {
    return this.#laneByJob.has(id);
  }

  isOnSocket(id: JobId): boolean {
    return this.#laneByJob.get(id)?.isDurable === false;
  }

  /** The ids of all jobs that wait on a socket. */
  idsOnSocket(): JobId[] {
    return [...this.#laneByJob].flatMap(([id, lane]) => (lane.isDurable ? [] : [id]));
  }
}

function keyOf(facts: LaneFacts): string {
  return [facts.class, facts.loadKey, facts.client, facts.isDurable].join("\n");
}
