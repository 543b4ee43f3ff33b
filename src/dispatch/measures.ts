import type { Clock } from "../clock.ts";
import type { Pace } from "../scheduler/pace.ts";
import { LoadLog } from "./load-log.ts";
import { loadMsMin, Residents } from "./residents.ts";
import { RunTimes } from "./run-times.ts";
import type { Running } from "./slots.ts";

/** Runners that are measured. Each is a model with its load options, which clients choose. */
const runnersMax = 256;

/** What the runs have taught: what is loaded, and what loads and runs take. */
export class Measures {
  readonly residents = new Residents(runnersMax);
  readonly loadLog = new LoadLog();
  readonly #runTimes = new RunTimes(runnersMax);
  readonly #clock: Clock;
  #runs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs that have ended, or were put back, since the start. */
  get runCount(): number {
    return this.#runs;
  }

  /**
   * An answer of that runner began; whether another one had answered last.
   *
   * @param afterReadings as `Residents.noteWorking`
   */
  noteWorking(runnerKey: string, afterReadings: number): boolean {
    const isNew = this.residents.latest !== runnerKey;
    this.residents.noteWorking(runnerKey, afterReadings);
    return isNew;
  }

  /**
   * A run is over. Answers the GPU time that it took, in ms, without its load: who happens to need
   * a swap does not pay for it.
   *
   * @param loadMs what the target says that it took to get the model ready; null if it does not say
   * @param isWhole whether the answer came to its end: others tell nothing of how long one takes
   */
  noteOver(running: Running, loadMs: number | null, isWhole: boolean): number {
    const { isSwap, run, waiting } = running;
    const { runnerKey } = waiting.job;
    const ranMs = this.#clock.monotonicMs() - running.startedAtMs;
    const gpuMs = Math.max(0, ranMs - (loadMs ?? 0));
    // A load that is not told is believed if the scheduler thought so, and an answer began.
    const isUntold = loadMs === null && isSwap && run.progress.firstByteAtMs !== null;
    this.#runs += 1;
    this.residents.noteLoad(runnerKey, loadMs);
    if (isWhole && !isUntold) this.#runTimes.note(runnerKey, gpuMs);
    if (isUntold || (loadMs ?? 0) >= loadMsMin) {
      const atMs = this.#clock.wallMs() - ranMs;
      this.loadLog.note({ atMs, from: running.previousRunner, to: runnerKey, loadMs });
    }
    return gpuMs;
  }

  /** What is to be expected of the jobs that run and of those that wait. */
  pace(running: readonly Running[]): Pace {
    return {
      runMs: this.#runTimes.meansMs,
      running: running.map((each) => {
        const { class: jobClass, client, runnerKey } = each.waiting.job;
        return { class: jobClass, client, runnerKey, restMs: this.#restMs(each) };
      }),
    };
  }

  #restMs({ isSwap, run, startedAtMs, waiting }: Running): number | null {
    if (run.wasCut) return 0;
    const { runnerKey } = waiting.job;
    const { firstByteAtMs } = run.progress;
    const nowMs = this.#clock.monotonicMs();
    if (!isSwap) return this.#runTimes.restMs(runnerKey, nowMs - startedAtMs);
    if (firstByteAtMs !== null) return this.#runTimes.restMs(runnerKey, nowMs - firstByteAtMs);
    const loadMs = this.residents.swapMs.get(runnerKey);
    if (loadMs === undefined) return null;
    const loadedForMs = nowMs - startedAtMs - loadMs;
    const restMs = this.#runTimes.restMs(runnerKey, Math.max(0, loadedForMs));
    return restMs === null ? null : restMs + Math.max(0, -loadedForMs);
  }
}
