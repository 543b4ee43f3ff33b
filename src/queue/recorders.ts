import type { Job, JobId } from "../job.ts";
import { Recorder } from "./recorder.ts";
import type { Waiter } from "./waiters.ts";

type Kept = { readonly recorder: Recorder; readonly model: string };

/** The recorders of durable jobs that are in memory or have a listener, and who listens. */
export class Recorders {
  readonly #answerBytesMax: number;
  readonly #kept = new Map<JobId, Kept>();
  /** Jobs on their way to the disk, for whose answers a client means to wait. */
  readonly #joining = new Set<Job>();

  /** @param answerBytesMax as a `Recorder`'s */
  constructor(answerBytesMax: number) {
    this.#answerBytesMax = answerBytesMax;
  }

  /** How many clients wait for such a model, or hear it; `model` as they spelled it. */
  listenersOf(isSuch: (model: string) => boolean): number {
    let count = 0;
    for (const { model } of this.#joining) if (isSuch(model)) count += 1;
    for (const { model, recorder } of this.#kept.values()) {
      if (recorder.listenerCount > 0 && isSuch(model)) count += recorder.listenerCount;
    }
    return count;
  }

  /** Counts the job's client until `noteJoined`. */
  noteJoining(job: Job): void {
    this.#joining.add(job);
  }

  noteJoined(job: Job): void {
    this.#joining.delete(job);
  }

  /** The job's recorder, made if there is none. */
  of({ id, model }: Pick<Job, "id" | "model">): Recorder {
    const kept = this.#kept.get(id) ?? { model, recorder: new Recorder(this.#answerBytesMax) };
    this.#kept.set(id, kept);
    return kept.recorder;
  }

  /** The job's recorder; null if there is none. */
  find(id: JobId): Recorder | null {
    return this.#kept.get(id)?.recorder ?? null;
  }

  all(): Iterable<readonly [JobId, Kept]> {
    return this.#kept;
  }

  /** The listener leaves; a recorder that nobody hears is dropped unless the job is `isHere`. */
  leave(id: JobId, listener: Waiter, isHere: boolean): void {
    const recorder = this.find(id);
    recorder?.leave(listener);
    if (recorder?.listenerCount === 0 && !isHere) this.forget(id);
  }

  forget(id: JobId): void {
    this.#kept.delete(id);
  }
}
