import { JsonBounds } from "../../wire/json-bounds.ts";
import { runtimeLimits } from "../../wire/runtime-limits.ts";

/** An answer that is to be JSON: its JSON text and what it says, or what is wrong with it. */
export type JsonAnswer =
  | { readonly kind: "json"; readonly text: string; readonly json: unknown }
  | { readonly kind: "invalid"; readonly message: string };

const fence = "```";

/**
 * Reads an answer that is to be one JSON value. Lenient in what cannot be misread: space or a BOM
 * around it, and one code fence (```json … ```) around all of it, in which hosted models like to
 * answer; a repair would cost a whole generation for nothing. Strict in all else: prose around the
 * JSON, single quotes or trailing commas would have to be guessed at.
 *
 * What JSON can write and no double can hold (1e999) is invalid, since it would be told as null.
 */
export function readJsonAnswer(content: string): JsonAnswer {
  const { jsonAnswerBytes } = runtimeLimits;
  const bytes = Buffer.from(content);
  if (bytes.length > jsonAnswerBytes) {
    return invalid(
      `the answer has ${bytes.length} bytes, and JSON is read up to ${jsonAnswerBytes}`,
    );
  }
  const text = unfenced(content.trim());
  if (text === "") return invalid("the answer is empty");
  const bounds = new JsonBounds();
  bounds.write(bytes);
  if (bounds.problem !== null) return invalid(`the answer is too much as JSON: ${bounds.problem}`);
  try {
    const json: unknown = JSON.parse(text);
    return hasInfinity(json)
      ? invalid("the answer has a number that is out of range")
      : { kind: "json", text, json };
  } catch (cause) {
    return invalid(`the answer is not JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function invalid(message: string): JsonAnswer {
  return { kind: "invalid", message };
}

function unfenced(text: string): string {
  const lineEnd = text.indexOf("\n");
  const label = text.slice(fence.length, lineEnd).trim().toLowerCase();
  const isFenced = text.startsWith(fence) && text.endsWith(fence) && lineEnd !== -1;
  const isJson = label === "" || label === "json";
  return isFenced && isJson ? text.slice(lineEnd, -fence.length).trim() : text;
}

function hasInfinity(json: unknown): boolean {
  const open: unknown[] = [json];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "number" && !Number.isFinite(value)) return true;
    if (typeof value !== "object" || value === null) continue;
    for (const inner of Object.values(value)) open.push(inner);
  }
  return false;
}
