/** An event that is stored: its number lets a client go on after it. */
export type StoredEvent = {
  /** Grows along the feed; from 1. */
  readonly id: number;
  readonly type: string;
  readonly document: object;
  /** Nothing comes after it. */
  readonly isLast: boolean;
};

/** How something stands at this moment: told while it is news, and never again. */
export type PassingEvent = Omit<StoredEvent, "id" | "isLast">;

/** What an event stream tells of, be it a job or a batch of many. */
export interface EventFeed {
  /** Calls `poke` when there may be more to read, until the function that is returned is called. */
  follow(poke: () => void): () => void;
  /**
   * What is stored after event number `after` (0: from the first), oldest first, and whether there
   * is more than was read now. Null: what was followed is gone.
   */
  read(
    after: number,
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly hasMore: boolean } | null>;
  /** Null while there is nothing to tell. */
  passing(): PassingEvent | null;
}
