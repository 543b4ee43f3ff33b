import { parseGoDuration } from "./go-duration.ts";
import type { PeekedMember } from "./json-peek.ts";
import { memberText } from "./member-text.ts";

/** How long the model is to stay loaded afterwards: milliseconds, or until told otherwise. */
export type KeepAlive = number | "forever";

export type KeepAliveReading =
  | { readonly kind: "set"; readonly value: KeepAlive }
  | { readonly kind: "unset" }
  | { readonly kind: "invalid"; readonly message: string };

const nsMax = 2n ** 63n - 1n;

/**
 * Reads a `keep_alive` member as Ollama's `api.Duration` does: a number counts seconds, a string is
 * a Go duration, negative means forever. A message is Ollama's own text. A value that is too long
 * to be read counts as unset.
 * Source: Ollama api/types.go; checked against test/fixtures/ollama-refusals.jsonl.
 */
export function readKeepAlive(member: PeekedMember): KeepAliveReading {
  switch (member.kind) {
    case "null":
      return { kind: "unset" };
    case "bool":
      return unsupported("bool");
    case "array":
      return unsupported("[]interface {}");
    case "object":
      return unsupported("map[string]interface {}");
    case "number":
      return member.raw === null ? { kind: "unset" } : fromSeconds(Number(member.raw.toString()));
    case "string":
      return member.raw === null ? { kind: "unset" } : fromText(memberText(member.raw));
    default:
      return member.kind satisfies never;
  }
}

function unsupported(goType: string): KeepAliveReading {
  return { kind: "invalid", message: `Unsupported type: '${goType}'` };
}

/** More than an int64 of nanoseconds holds is three centuries: forever. */
function fromSeconds(seconds: number): KeepAliveReading {
  if (!Number.isFinite(seconds) || seconds < 0) return { kind: "set", value: "forever" };
  const ns = BigInt(Math.trunc(seconds * 1e9));
  return { kind: "set", value: ns >= nsMax ? "forever" : Number(ns) / 1e6 };
}

function fromText(text: string): KeepAliveReading {
  const parsed = parseGoDuration(text);
  if (parsed.kind === "invalid") return parsed;
  const isForever = parsed.ns < 0n || parsed.ns === nsMax;
  return { kind: "set", value: isForever ? "forever" : Number(parsed.ns) / 1e6 };
}
