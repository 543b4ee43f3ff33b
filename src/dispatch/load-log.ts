/**
 * What made a load needed: another model had answered before; the same one had, with other load
 * options; or neither, and it was not loaded, be it for the first time or after it was let go of.
 */
export type LoadCause = "model" | "options" | "gone";

/** A model that was loaded for a job. */
export type Load = {
  /** Wall clock at which the job was sent. */
  readonly atMs: number;
  /** The pinned load key that answered before; null if none did since the target came. */
  readonly from: string | null;
  /** The pinned load key of the job. */
  readonly to: string;
  readonly cause: LoadCause;
  /** Whose job it was. */
  readonly client: string;
  /** As the target told it; null where it tells nothing, as on its /v1 routes. */
  readonly loadMs: number | null;
};

/** Loads that are told one by one. */
const latestMax = 20;

/** What loading has cost since the start. */
export class LoadLog {
  #latest: readonly Load[] = [];
  #count = 0;
  #totalMs = 0;
  #untoldCount = 0;
  #optionsCount = 0;

  note(load: Load): void {
    this.#latest = [load, ...this.#latest].slice(0, latestMax);
    this.#count += 1;
    this.#totalMs += load.loadMs ?? 0;
    if (load.loadMs === null) this.#untoldCount += 1;
    if (load.cause === "options") this.#optionsCount += 1;
  }

  /** The newest first. */
  get latest(): readonly Load[] {
    return this.#latest;
  }

  /**
   * Of all loads; `totalMs` is without the `untoldCount` whose time the target did not tell, and
   * `optionsCount` are those that other load options alone made needed.
   */
  get totals() {
    return {
      count: this.#count,
      totalMs: this.#totalMs,
      untoldCount: this.#untoldCount,
      optionsCount: this.#optionsCount,
    };
  }
}
