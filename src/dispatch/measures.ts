import type { Clock } from "../clock.ts";
import type { JobId } from "../job.ts";
import type { Pace } from "../scheduler/pace.ts";
import { type Runners, weightsOf } from "../target/runners.ts";
import { type LoadCause, LoadLog } from "./load-log.ts";
import { loadMsMin, Residents } from "./residents.ts";
import { RunTimes } from "./run-times.ts";
import type { Running } from "./slots.ts";

/** Runners that are measured. Each is a model with its load options, which clients choose. */
const runnersMax = 256;

/** What a run that is over took of the GPU without its load, and whether there was one. */
type Over = { readonly gpuMs: number; readonly hasLoaded: boolean };

type MeasuresDeps = {
  readonly clock: Clock;
  readonly runners: Runners;
  /** A model was loaded for that job, whatever became of the run. */
  readonly onLoaded: (id: JobId, cause: LoadCause) => void;
};

/** What may be believed in the next life too: of up to 256 runners, 200 KB as JSON at most. */
export type MeasuresDocument = {
  /** By runner key the runs that are remembered, in ms, oldest first. */
  readonly runs: readonly (readonly [string, readonly number[]])[];
  /** By runner key what a load takes, in ms. */
  readonly loads: readonly (readonly [string, number])[];
};

/** What the runs have taught: what is loaded, and what loads and runs take. */
export class Measures {
  readonly residents: Residents;
  readonly loadLog = new LoadLog();
  readonly #runTimes = new RunTimes(runnersMax);
  readonly #clock: Clock;
  readonly #runners: Runners;
  readonly #onLoaded: MeasuresDeps["onLoaded"];
  #runs = 0;

  constructor({ clock, onLoaded, runners }: MeasuresDeps) {
    this.#clock = clock;
    this.#runners = runners;
    this.#onLoaded = onLoaded;
    this.residents = new Residents(runners, runnersMax);
  }

  /** Runs that have ended, or were put back, since the start. */
  get runCount(): number {
    return this.#runs;
  }

  /**
   * An answer to that pinned load key began; whether another runner had answered last.
   *
   * @param afterReadings as `Residents.noteWorking`
   */
  noteWorking(loadKey: string, afterReadings: number): boolean {
    const { latest } = this.residents;
    this.residents.noteWorking(loadKey, afterReadings);
    return latest === null || this.#runners.keyOf(latest) !== this.#runners.keyOf(loadKey);
  }

  /**
   * A run is over. Answers the GPU time that it took, in ms, without its load, since who happens
   * to need a swap does not pay for it; and whether its model was loaded for it.
   *
   * @param loadMs what the target says that it took to get the model ready; null if it does not say
   * @param isWhole whether the answer came to its end: others tell nothing of how long one takes
   */
  noteOver(running: Running, loadMs: number | null, isWhole: boolean): Over {
    const { isSwap, loadKey, run } = running;
    const runnerKey = this.#runners.keyOf(loadKey);
    const ranMs = this.#clock.monotonicMs() - running.startedAtMs;
    const gpuMs = Math.max(0, ranMs - (loadMs ?? 0));
    // A load that is not told is believed if the scheduler thought so, and an answer began.
    const isUntold = loadMs === null && isSwap && run.hasAnswered;
    this.#runs += 1;
    this.residents.noteLoad(runnerKey, loadMs);
    if (isWhole && !isUntold) this.#runTimes.note(runnerKey, gpuMs);
    const hasLoaded = isUntold || (loadMs ?? 0) >= loadMsMin;
    if (hasLoaded) {
      const atMs = this.#clock.wallMs() - ranMs;
      const { previousLoadKey: from, waiting } = running;
      const cause = this.#causeOf(from, runnerKey);
      const { client, id } = waiting.job;
      this.loadLog.note({ atMs, from, to: loadKey, loadMs, cause, client });
      this.#onLoaded(id, cause);
    }
    return { gpuMs, hasLoaded };
  }

  get document(): MeasuresDocument {
    return { runs: this.#runTimes.all, loads: [...this.residents.swapMs] };
  }

  /** Takes in what an earlier life measured. Call it before the first run. */
  restore({ loads, runs }: MeasuresDocument): void {
    for (const [runnerKey, runsMs] of runs) {
      for (const ms of runsMs) this.#runTimes.note(runnerKey, ms);
    }
    for (const [runnerKey, loadMs] of loads) this.residents.noteLoad(runnerKey, loadMs);
  }

  /** What is to be expected of the jobs that run and of those that wait. */
  pace(running: readonly Running[]): Omit<Pace, "weightOf"> {
    return {
      runMs: this.#runTimes.meansMs,
      running: running.map((each) => {
        const { class: jobClass, client } = each.waiting.job;
        const runnerKey = this.#runners.keyOf(each.loadKey);
        return { class: jobClass, client, runnerKey, restMs: this.#restMs(each, runnerKey) };
      }),
    };
  }

  #causeOf(from: string | null, toRunner: string): LoadCause {
    const fromRunner = from === null ? toRunner : this.#runners.keyOf(from);
    if (fromRunner === toRunner) return "gone";
    return weightsOf(fromRunner) === weightsOf(toRunner) ? "options" : "model";
  }

  #restMs({ isSwap, run, startedAtMs }: Running, runnerKey: string): number | null {
    if (run.wasCut) return 0;
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
