/** `GET /foreman/status`: one document on what runs, who waits and why. Times in ms. */
export type Status = {
  readonly target: {
    readonly presence: "present" | "doubted" | "away" | "returning";
    /** Null while it is there. */
    readonly away_ms: number | null;
    readonly last_error: string | null;
    readonly version: string | null;
    readonly models: readonly string[];
    readonly loaded: readonly {
      readonly name: string;
      readonly size_vram: number;
      readonly expires_at: string;
    }[];
  };
  /** How many generations may run at once. */
  readonly slots: number;
  readonly running: readonly {
    readonly job_id: string;
    readonly model: string;
    readonly priority: string;
    readonly client: string;
    readonly ran_ms: number;
    readonly attempts: number;
    /** Counted as they pass, so an estimate; null before the first and for an unstreamed answer. */
    readonly tokens: number | null;
  }[];
  /** One line for each model, priority and client that waits. */
  readonly waiting: readonly {
    readonly model: string;
    readonly priority: string;
    readonly client: string;
    readonly durable: boolean;
    readonly depth: number;
    readonly head_waited_ms: number | null;
    /** Why the first of them is not let through. */
    readonly reason: string | null;
    /** Until the first of them is expected to start; null where that cannot be told. */
    readonly eta_ms: number | null;
  }[];
  /** What is still to be told to webhooks. */
  readonly webhooks: {
    readonly left: number;
    /** When the oldest of it happened; null if nothing is left. */
    readonly oldest_at: string | null;
    /** Receivers whose last try failed. */
    readonly failing: readonly {
      readonly receiver: string;
      readonly failures: number;
      readonly last_error: string;
    }[];
  };
  /** How long the target takes to load a model, as measured. */
  readonly loads: readonly { readonly model: string; readonly load_ms: number }[];
  /** What swapping models has cost since foreman started. */
  readonly swaps: {
    /** Runs of jobs, of which `count` had their model loaded first. */
    readonly runs: number;
    readonly count: number;
    /** Of all loads whose time the target told. */
    readonly load_ms: number;
    /** Loads whose time it did not tell, as on its /v1 routes. */
    readonly untold: number;
    /** The last 20, newest first. */
    readonly recent: readonly {
      /** When the job was sent that needed it. */
      readonly at: string;
      /**
       * The model that had answered before, which is the same one if only its load options differ;
       * null if none had since Ollama was reached.
       */
      readonly from: string | null;
      readonly to: string;
      /** Null where it was not told. */
      readonly load_ms: number | null;
    }[];
  };
};
