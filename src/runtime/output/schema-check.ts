import assert from "node:assert/strict";
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { compilePattern } from "./schema-pattern.ts";

/** Compiled schemas are ten times as large as their text; batches have one or a few. */
const compiledMax = 64;

/** As many complaints as a model mends at once, and as long as a person reads. */
const complaintsMax = 5;
const complaintLengthMax = 1_000;

type Schema = { readonly $schema?: unknown };

type Draft = typeof Ajv | typeof Ajv2020;

const drafts: Readonly<Record<string, Draft>> = {
  "https://json-schema.org/draft/2020-12/schema": Ajv2020,
  "https://json-schema.org/draft-07/schema": Ajv,
};

const newest = "https://json-schema.org/draft/2020-12/schema";

/** One of each kind, to find out at once what a schema does with it, such as run in a circle. */
const probes: readonly unknown[] = [null, true, 0, "", [], {}];

const options: Options = {
  // A keyword of another tool is not known, and does no harm (JSON Schema 2020-12 §6.5).
  strict: false,
  strictNumbers: true,
  // Without it {} would have a "constructor".
  ownProperties: true,
  validateFormats: true,
  logger: false,
  code: { optimize: false, regExp: Object.assign(compilePattern, { code: "compilePattern" }) },
};

/** One that judges, and one that goes on after the first error, to explain. */
type Compiled = { readonly judge: ValidateFunction; explain: ValidateFunction | null };

/** Compiles JSON Schemas and checks answers by them. May need for ever: runs in a thread. */
export class SchemaCheck {
  readonly #compiled = new Map<string, Compiled>();
  /** Each draft's schema of schemas costs 0.1 s to compile, so it is done once. */
  readonly #metaByDraft = new Map<Draft, Ajv>();

  /**
   * Why answers cannot be checked by that schema (JSON text), in the validator's words; null when
   * they can.
   */
  refusal(schema: string): string | null {
    try {
      const { judge } = this.#validators(schema);
      for (const probe of probes) judge(probe);
      return null;
    } catch (cause) {
      return shortened(wordsOf(cause));
    }
  }

  /**
   * What an answer (JSON text) violates, path and complaint; null when it fits the schema.
   *
   * @throws Error when the schema, which `refusal` passed, cannot be followed to its end
   */
  complaint(schema: string, answer: string): string | null {
    const validators = this.#validators(schema);
    const json: unknown = JSON.parse(answer);
    if (validators.judge(json)) return null;
    const first = validators.judge.errors ?? [];
    return wordsOfErrors(allErrors(validators, schema, json) ?? first);
  }

  #validators(schema: string): Compiled {
    const validators = this.#compiled.get(schema) ?? this.#compile(JSON.parse(schema));
    // The map keeps the order of insertion, so that the one longest unused is the first to go.
    this.#compiled.delete(schema);
    this.#compiled.set(schema, validators);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > compiledMax && oldest !== undefined) this.#compiled.delete(oldest);
    return validators;
  }

  #compile(schema: Schema): Compiled {
    const draft = draftOf(schema);
    const meta = this.#metaByDraft.get(draft) ?? new draft(options);
    this.#metaByDraft.set(draft, meta);
    if (meta.validateSchema(withoutDraft(schema)) !== true) {
      throw new SyntaxError(wordsOfErrors(meta.errors ?? []));
    }
    return { judge: compiled(schema, options), explain: null };
  }
}

/** What a model may mend at once; null where that cannot be found out. It does not judge. */
function allErrors(
  validators: Compiled,
  schema: string,
  json: unknown,
): readonly ErrorObject[] | null {
  try {
    validators.explain ??= compiled(JSON.parse(schema), { ...options, allErrors: true });
    validators.explain(json);
    return validators.explain.errors ?? null;
  } catch {
    return null;
  }
}

/** By an Ajv of its own, since an $id must not be seen by another client's $ref. */
function compiled(schema: Schema, withOptions: Options): ValidateFunction {
  const draft = draftOf(schema);
  const text = JSON.stringify(schema);
  // What ajv 8.20 finds missing it takes for nothing where the name is empty, unless it goes on.
  const allErrors = withOptions.allErrors === true || text.includes('""');
  const ajv = new draft({ ...withOptions, allErrors, meta: false, validateSchema: false });
  addFormats.default(ajv);
  // Ajv2020 always notes what was evaluated, and loses its way where patternProperties meet oneOf.
  ajv.opts.unevaluated = /"unevaluated(Items|Properties)"/.test(text);
  return ajv.compile(withoutDraft(schema));
}

/** @throws SyntaxError for a draft that is not known here */
function draftOf({ $schema = newest }: Schema): Draft {
  const named = String($schema)
    .replace(/^http:/, "https:")
    .replace(/#$/, "");
  const draft = drafts[named];
  if (draft !== undefined) return draft;
  throw new SyntaxError(`$schema: ${named} is not known here: 2020-12 and draft-07 are`);
}

/** Without the schemas of schemas a validator knows no draft's name. */
function withoutDraft({ $schema: _, ...rest }: Schema): object {
  return rest;
}

/** A validator's failure in words: recursion shows as an overflow of the stack. */
export function wordsOf(cause: unknown): string {
  assert(cause instanceof Error);
  return cause instanceof RangeError ? "it refers to itself, or too deeply" : cause.message;
}

/** Each complaint once: the branches of a schema of schemas repeat theirs. */
function wordsOfErrors(errors: readonly ErrorObject[]): string {
  const complaints = [...new Set(errors.map(wordsOfError))];
  const told = complaints.slice(0, complaintsMax);
  const more = complaints.length - told.length;
  return shortened([...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; "));
}

function wordsOfError({ instancePath, message = "", params }: ErrorObject): string {
  const place = instancePath === "" ? "the top" : instancePath;
  return `${place} ${message}${detailOf(params)}`;
}

/** What ajv's own words leave out. */
function detailOf(params: ErrorObject["params"]): string {
  const { additionalProperty, allowedValue, allowedValues, unevaluatedProperty } = params;
  const named = additionalProperty ?? unevaluatedProperty;
  if (named !== undefined) return `: ${JSON.stringify(named)}`;
  if (allowedValues !== undefined) return `: ${JSON.stringify(allowedValues)}`;
  return allowedValue === undefined ? "" : `: ${JSON.stringify(allowedValue)}`;
}

function shortened(text: string): string {
  return text.length > complaintLengthMax ? `${text.slice(0, complaintLengthMax)}…` : text;
}
