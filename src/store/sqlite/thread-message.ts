import type { ErrorCode } from "../../errors.ts";
import type { Migrated } from "../migrate.ts";
import type { Verb, VerbAnswer } from "./verb.ts";

/** What a thread is started with. */
export type ThreadStart = {
  readonly file: string;
  /** So much of its disk is kept free of new durable jobs; 0: nothing. */
  readonly floorBytes: number;
  /** Where the migrations are, as a URL. */
  readonly migrations: string;
};

/** An error on its way between threads, where classes are lost. */
export type Failure = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause: string | null;
};

/** What became of one verb. */
export type Outcome =
  | { readonly kind: "answered"; readonly answer: VerbAnswer }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Outcomes in the order of the verbs; `fatal`: the rest failed, and so will whatever follows. */
export type GroupOutcome = {
  readonly outcomes: readonly Outcome[];
  readonly fatal: Failure | null;
};

/** What the writing thread found when it opened the database. */
export type Opening = Migrated & {
  /** It was not closed in order, and is too large to have been checked on the way. */
  readonly owesCheck: boolean;
};

export type ToThread<Asked extends Verb> =
  | { readonly kind: "verbs"; readonly verbs: readonly Asked[] }
  /** Finish what was asked before this, and leave. */
  | { readonly kind: "close" };

export type FromThread =
  /** `opening` is the writing thread's to tell. */
  | { readonly kind: "opened"; readonly opening: Opening | null }
  | { readonly kind: "refused"; readonly failure: Failure }
  /** `tookMs`: from the beginning of the group's work until it was done, on the disk if need be. */
  | ({ readonly kind: "group"; readonly tookMs: number } & GroupOutcome)
  | { readonly kind: "closed" };
