/** What the files of a store need while it is in use. None of it is in the way of a commit. */
export interface StoreUpkeep {
  /**
   * Whether the store was not closed in order and is too large to have been checked at its
   * opening; false once `check` has found it sound.
   */
  readonly owesCheck: boolean;
  /**
   * Reads the whole store, beside all other work, and changes nothing.
   *
   * @returns null if it is sound, else what is wrong and what to do, naming the file
   * @throws ForemanError `storage_failed` if it could not be read; the signal's reason if aborted
   */
  check(signal: AbortSignal): Promise<string | null>;
  /** Gives a little unused space back to the disk; true if there is more to give. */
  shrink(): Promise<boolean>;
  /**
   * Empties the log of commits, in which what was deleted still stands, unless a reader is in the
   * way: the next time will do.
   */
  emptyLog(): Promise<void>;
  /** How much disk the log of commits takes. */
  logBytes(): Promise<number>;
  /**
   * Copies what is committed at this moment to `file`, private (0600), whole or not at all, while
   * all other work goes on.
   *
   * @returns the copy's bytes
   * @throws ForemanError `backup_refused` for the store's own file, or one that exists;
   * `storage_full` without space for it; `storage_failed`. Each names the file.
   */
  backUp(file: string): Promise<number>;
}
