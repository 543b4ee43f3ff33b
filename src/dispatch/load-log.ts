/** A model that was loaded for a job. */
export type Load = {
  /** Wall clock at which the job was sent. */
  readonly atMs: number;
  /** The pinned load key that answered before; null if none did since the target came. */
  readonly from: string | null;
  /** The pinned load key of the job. */
  readonly to: string;
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

  note(load: Load): void {
    this.#latest = [load, ...this.#latest].slice(0, latestMax);
    this.#count += 1;
    this.#totalMs += load.loadMs ?? 0;
    if (load.loadMs === null) this.#untoldCount += 1;
  }

  /** The newest first. */
  get latest(): readonly Load[] {
    return this.#latest;
  }

  /** Of all loads; `totalMs` is without the `untoldCount` whose time the target did not tell. */
  get totals() {
    return { count: this.#count, totalMs: this.#totalMs, untoldCount: this.#untoldCount };
  }
}
