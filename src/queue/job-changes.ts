import type { JobId } from "../job.ts";

/**
 * Tells whoever follows a job that something of it was committed. What that was is read from the
 * store: a follower that was told twice, or late, misses nothing and hears nothing twice.
 */
export class JobChanges {
  readonly #followers = new Map<JobId, Set<() => void>>();

  /**
   * Calls `onChange` after each change of the job's state, until the function that is returned is
   * called.
   */
  follow(id: JobId, onChange: () => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers);
    followers.add(onChange);
    return () => {
      followers.delete(onChange);
      if (followers.size === 0 && this.#followers.get(id) === followers) this.#followers.delete(id);
    };
  }

  /** A change of the job is on the disk. */
  note(id: JobId): void {
    for (const onChange of this.#followers.get(id) ?? []) onChange();
  }
}
