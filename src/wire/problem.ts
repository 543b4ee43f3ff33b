import type { z } from "zod";

/** One complaint about a request, as FastAPI's clients know it: where, what, pydantic's type. */
export type Problem = {
  /** Begins with `body`, `query` or `path`; indexes are numbers. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
};

type Loc = Problem["loc"];
type Issue = z.core.$ZodIssue;

/** A body may be wrong in each of its 50,000 items; nobody reads more than this. */
const problemsMax = 20;

/** For a parse whose issues shall speak as pydantic does: hand it to `safeParse`. */
export const pydanticWords: z.core.ParseContext<Issue> = {
  reportInput: true,
  error: (issue) => wordsOf(issue)?.msg,
};

/**
 * The complaints of a failed parse under `pydanticWords`, the first of them; `loc` is where in the
 * request the parsed value stands. Words that a schema has of its own come with type `value_error`.
 * Source: pydantic 2.12 docs/errors/validation_errors, FastAPI's request_validation_error_handler.
 */
export function problemsOf(error: z.ZodError, loc: Loc): readonly Problem[] {
  return error.issues.flatMap((issue) => problemsIn(issue, loc)).slice(0, problemsMax);
}

function problemsIn(issue: Issue, loc: Loc): readonly Problem[] {
  const at = [...loc, ...issue.path.map((part) => (typeof part === "symbol" ? "" : part))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => extra([...at, key]));
  }
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue.errors);
    if (meant !== null) return meant.flatMap((inner) => problemsIn(inner, at));
  }
  const words = wordsOf(issue);
  if (words === missing) return [{ loc: at, ...missing }];
  const isOwnWords = words === undefined || words.msg !== issue.message;
  return [{ loc: at, msg: issue.message, type: isOwnWords ? "value_error" : words.type }];
}

/** The branch of a union that took the kind of value, and complains of something else. */
function meantBranch(branches: readonly Issue[][]): readonly Issue[] | null {
  const isOther = ({ code, path }: Issue) =>
    path.length === 0 && (code === "invalid_type" || code === "invalid_value");
  return branches.find((issues) => !issues.some(isOther)) ?? null;
}

function extra(loc: Loc): Problem {
  return { loc, msg: "Extra inputs are not permitted", type: "extra_forbidden" };
}

type Words = { readonly msg: string; readonly type: string };

/** What is read of an issue, be it raw or in a result. */
type Mistake = {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly expected?: string | undefined;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[] | undefined;
  readonly origin?: string | undefined;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
};

/** What pydantic says of such a mistake; undefined where it has no words that fit. */
function wordsOf(mistake: Mistake): Words | undefined {
  const { code, expected = "", input, maximum, minimum, options, values } = mistake;
  switch (code) {
    case "invalid_type":
      return input === undefined ? missing : wrongType(expected, input);
    case "invalid_value":
      return input === undefined ? missing : { type: "literal_error", msg: oneOf(values) };
    case "invalid_union":
      if (input === undefined) return missing;
      return options && { type: "union_tag_invalid", msg: oneOf(options) };
    case "too_small":
      return outside(mistake, minimum ?? 0, "at least");
    case "too_big":
      return outside(mistake, maximum ?? 0, "at most");
    default:
      return undefined;
  }
}

const missing: Words = { type: "missing", msg: "Field required" };

const typeWords: Readonly<Record<string, Words>> = {
  string: { type: "string_type", msg: "Input should be a valid string" },
  number: { type: "float_type", msg: "Input should be a valid number" },
  boolean: { type: "bool_type", msg: "Input should be a valid boolean" },
  array: { type: "list_type", msg: "Input should be a valid list" },
  record: { type: "dict_type", msg: "Input should be a valid dictionary" },
  object: {
    type: "model_attributes_type",
    msg: "Input should be a valid dictionary or object to extract fields from",
  },
};

function wrongType(expected: string, input: unknown): Words | undefined {
  if (expected !== "int") return typeWords[expected];
  const msg = "Input should be a valid integer";
  return typeof input === "number"
    ? { type: "int_from_float", msg: `${msg}, got a number with a fractional part` }
    : { type: "int_type", msg };
}

function outside(
  { input, origin }: Mistake,
  limit: number | bigint,
  bound: "at least" | "at most",
): Words {
  const isLess = bound === "at least";
  const plural = limit === 1 ? "" : "s";
  if (origin === "string") {
    const msg = `String should have ${bound} ${limit} character${plural}`;
    return { type: isLess ? "string_too_short" : "string_too_long", msg };
  }
  if (origin === "array") {
    const length = Array.isArray(input) ? input.length : 0;
    const msg = `List should have ${bound} ${limit} item${plural} after validation, not ${length}`;
    return { type: isLess ? "too_short" : "too_long", msg };
  }
  return isLess
    ? { type: "greater_than_equal", msg: `Input should be greater than or equal to ${limit}` }
    : { type: "less_than_equal", msg: `Input should be less than or equal to ${limit}` };
}

/** "Input should be 'a', 'b' or 'c'". */
function oneOf(values: readonly unknown[] = []): string {
  const choices = values.map((value) => `'${String(value)}'`);
  const last = choices.at(-1) ?? "";
  const choice = choices.length < 2 ? last : `${choices.slice(0, -1).join(", ")} or ${last}`;
  return `Input should be ${choice}`;
}
