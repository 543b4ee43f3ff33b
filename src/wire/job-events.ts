/** The last event of a job's stream says more. Times are ISO 8601, of the wall clock. */
type JobEnd = {
  /** Null when done. */
  readonly error: { readonly code: string; readonly message: string | null } | null;
  readonly usage: {
    readonly prompt_tokens: number | null;
    readonly completion_tokens: number | null;
  } | null;
  /** Where the completion of a job that is done can be fetched; else null. */
  readonly result_url: string | null;
};

/** `state` of `GET /jobs/{id}/events`: the job came to a state. Its id is its number. */
export type JobStateEvent = Partial<JobEnd> & {
  readonly job_id: string;
  readonly state: string;
  /** Null for the first. */
  readonly previous_state: string | null;
  /** The number of the latest attempt; 0 before the first. */
  readonly attempt: number;
  /** Why it was put back, or ended otherwise than done; else null. */
  readonly why: string | null;
  readonly at: string;
};

/** `progress`: how the job stands at this moment. Times in ms. */
export type JobProgressEvent =
  | {
      readonly job_id: string;
      readonly state: "queued";
      readonly position: number;
      readonly reason: string | null;
      readonly eta_ms: number | null;
    }
  | {
      readonly job_id: string;
      readonly state: "loading" | "working";
      readonly attempt: number;
      readonly ran_ms: number;
      /** An estimate, until `usage` tells; null before the first and for an unstreamed answer. */
      readonly tokens: number | null;
      /** Since the first of them; null where that says nothing yet. */
      readonly tokens_per_s: number | null;
    };
