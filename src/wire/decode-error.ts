import { goQuote } from "./go-quote.ts";
import { JsonPeek, type PeekedMember, type PeekPlan } from "./json-peek.ts";
import { readKeepAlive } from "./keep-alive.ts";
import { memberText } from "./member-text.ts";
import type { FieldType, GoStruct } from "./request-fields.ts";

/**
 * A mistake that Go finds while it decodes a member. A decoder of a type's own stops at once and
 * its error is the answer (`isFatal`); of the other mistakes Go answers with the first.
 */
type Mistake = { readonly message: string; readonly isFatal: boolean };

const intMax = 2n ** 63n - 1n;
const thinkLevels: readonly string[] = ["high", "medium", "low", "max"];
const thinkChoices = '"high", "medium", "low", "max", true, or false';

/** Which members of a body to look at, to decode it into `struct`. */
export function planFor(struct: GoStruct): PeekPlan {
  const entries = Object.entries(struct.fields);
  return {
    raw: entries.filter(([, type]) => !isKindOnly(type)).map(([name]) => name),
    kindOnly: entries.filter(([, type]) => isKindOnly(type)).map(([name]) => name),
  };
}

/**
 * Go's error text for the members of a body that do not fit `struct`, or null when they fit. Only
 * the members are judged, not what an array of messages or tools holds.
 * Source: Go 1.26 encoding/json/decode.go; checked against test/fixtures/ollama-refusals.jsonl.
 */
export function decodeError(struct: GoStruct, members: readonly PeekedMember[]): string | null {
  const mistakes = mistakesIn(struct, members, "");
  const fatal = mistakes.find((mistake) => mistake.isFatal);
  return (fatal ?? mistakes[0])?.message ?? null;
}

function isKindOnly(type: FieldType): boolean {
  if (typeof type !== "string") return false;
  return type.startsWith("[]") || ["any", "raw", "input", "api.Tools"].includes(type);
}

function mistakesIn(
  struct: GoStruct,
  members: readonly PeekedMember[],
  path: string,
): readonly Mistake[] {
  return members.flatMap((member) => {
    const type = struct.fields[member.name];
    const field = `${struct.name}.${path}${member.name}`;
    return type === undefined ? [] : judge(member, type, field, `${path}${member.name}.`);
  });
}

function judge(
  member: PeekedMember,
  type: FieldType,
  field: string,
  path: string,
): readonly Mistake[] {
  if (member.kind === "null") return [];
  if (typeof type !== "string") return judgeStruct(member, type, field, path);
  switch (type) {
    case "any":
    case "raw":
      return [];
    case "duration":
      return judgeDuration(member, field);
    case "think":
      return judgeThink(member);
    case "input":
      return judgeInput(member);
    default:
      return judgePlain(member, type, field);
  }
}

function judgeStruct(
  member: PeekedMember,
  struct: GoStruct,
  field: string,
  path: string,
): readonly Mistake[] {
  if (member.kind !== "object") return [mismatch(member.kind, field, struct.goType)];
  if (member.raw === null) return [];
  const peek = new JsonPeek(planFor(struct));
  peek.write(member.raw);
  const result = peek.end();
  return result.kind === "value" ? mistakesIn(struct, result.members, path) : [];
}

function judgeDuration(member: PeekedMember, field: string): readonly Mistake[] {
  const number = member.kind === "number" ? (member.raw?.toString() ?? "0") : "0";
  if (!Number.isFinite(Number(number))) {
    return [{ ...mismatch(`number ${number}`, field, "float64"), isFatal: true }];
  }
  const reading = readKeepAlive(member);
  return reading.kind === "invalid" ? [{ message: reading.message, isFatal: true }] : [];
}

function judgeThink(member: PeekedMember): readonly Mistake[] {
  if (member.kind === "bool" || (member.kind === "string" && member.raw === null)) return [];
  if (member.kind !== "string" || member.raw === null) {
    return [{ message: `think must be a boolean or string (${thinkChoices})`, isFatal: true }];
  }
  const level = memberText(member.raw);
  if (thinkLevels.includes(level)) return [];
  const message = `invalid think value: ${goQuote(level)} (must be ${thinkChoices})`;
  return [{ message, isFatal: true }];
}

function judgeInput(member: PeekedMember): readonly Mistake[] {
  if (member.kind === "string" || member.kind === "array") return [];
  const type = "[]json.RawMessage";
  const cause = `json: cannot unmarshal ${member.kind} into Go value of type ${type}`;
  return [{ message: `input must be a string or array: ${cause}`, isFatal: true }];
}

function judgePlain(member: PeekedMember, type: string, field: string): readonly Mistake[] {
  if (member.kind === "number" && isNumeric(type)) {
    const literal = member.raw?.toString() ?? "0";
    return fits(literal, type) ? [] : [mismatch(`number ${literal}`, field, type)];
  }
  return member.kind === kindFor(type) ? [] : [mismatch(member.kind, field, type)];
}

function isNumeric(type: string): boolean {
  return type === "int" || type === "float64" || type === "float32";
}

function kindFor(type: string): string {
  if (type === "string" || type === "bool") return type;
  if (isNumeric(type)) return "number";
  return type.startsWith("map[") ? "object" : "array";
}

function fits(literal: string, type: string): boolean {
  if (type === "float64") return Number.isFinite(Number(literal));
  if (type === "float32") return Number.isFinite(Math.fround(Number(literal)));
  if (!/^-?[0-9]+$/.test(literal)) return false;
  const value = BigInt(literal);
  return value <= intMax && value >= -intMax - 1n;
}

function mismatch(value: string, field: string, type: string): Mistake {
  const message = `json: cannot unmarshal ${value} into Go struct field ${field} of type ${type}`;
  return { message, isFatal: false };
}
