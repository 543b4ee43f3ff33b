import type { JobId } from "../job.ts";

/** Jobs that are followed; past it the oldest is passed over, for it may wait for days. */
const jobsMax = 10_000;

/** Runners whose presence at the target is watched. */
const runnersMax = 256;

type Followed = {
  readonly loadKey: string;
  hasRun: boolean;
  /** Models that were loaded for it. */
  loads: number;
  /** Whether one of these was not there by no other model's doing: not yet, or let go of. */
  wasGone: boolean;
};

/**
 * Plays the jobs that ran through a target that takes them in the order of their arrival, as Ollama
 * alone would, and counts how often it would have had to load a model. It is given room for as many
 * runners as the target was ever seen to hold at once, the longest unused of which goes first; and
 * where the target had let go of a model by itself, it has to load it too. So what is said to be
 * spared is not owed to a poorer target, nor what is not to a richer one.
 */
export class ArrivalOrder {
  readonly #keyOf: (loadKey: string) => string;
  readonly #jobs = new Map<JobId, Followed>();
  /** Runners that jobs have run on. */
  readonly #known = new Set<string>();
  /** The runners that it would hold, the latest used last. */
  #held: readonly string[] = [];
  #room = 1;
  #swaps = 0;
  #loads = 0;

  /** @param keyOf the runner that a load key means */
  constructor(keyOf: (loadKey: string) => string) {
    this.#keyOf = keyOf;
  }

  /** Of the jobs up to the first that still waits or runs. */
  get swaps(): number {
    return this.#swaps;
  }

  /** The loads that were made for the same jobs. */
  get loads(): number {
    return this.#loads;
  }

  joined(id: JobId, loadKey: string): void {
    this.#jobs.set(id, { loadKey, hasRun: false, loads: 0, wasGone: false });
    const [first] = this.#jobs.keys();
    if (this.#jobs.size > jobsMax && first !== undefined) this.#jobs.delete(first);
  }

  /** A model was loaded for it. @param wasGone whether no other model had driven that one out */
  loaded(id: JobId, wasGone: boolean): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    job.loads += 1;
    job.wasGone ||= wasGone;
  }

  /** @param wasThere whether the target had its model already, or takes no time to load it */
  ran(id: JobId, wasThere: boolean): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    job.hasRun = true;
    const key = this.#keyOf(job.loadKey);
    if (this.#known.has(key)) return;
    if (this.#known.size >= runnersMax) this.#known.clear();
    this.#known.add(key);
    if (wasThere && !this.#held.includes(key)) this.#adopt(key);
  }

  /** It neither waits nor runs any more; one that never ran would not have run elsewhere. */
  left(id: JobId): void {
    if (this.#jobs.get(id)?.hasRun === false) this.#jobs.delete(id);
    for (const [first, job] of this.#jobs) {
      if (!job.hasRun) return;
      this.#jobs.delete(first);
      this.#play(job);
    }
  }

  /** The runners that the target holds, of which those count that jobs have run on. */
  noteLoaded(runnerKeys: Iterable<string>): void {
    const together = [...runnerKeys].filter((key) => this.#known.has(key)).length;
    this.#room = Math.max(this.#room, together);
  }

  /** Loaded for no job, so the order of arrival would have found it as well, with room for it. */
  #adopt(key: string): void {
    this.#held = [key, ...this.#held];
    this.#room = Math.max(this.#room, this.#held.length);
  }

  #play({ wasGone, loadKey, loads }: Followed): void {
    const key = this.#keyOf(loadKey);
    if (wasGone || !this.#held.includes(key)) this.#swaps += 1;
    this.#loads += loads;
    this.#held = [...this.#held.filter((each) => each !== key), key].slice(-this.#room);
  }
}
