import canonicalJson from "canonicalize";

/**
 * The canonical JSON (RFC 8785) of what JSON.parse gave.
 *
 * @throws Error for numbers that JSON has no words for, such as 1e999, which is read as infinity
 */
export function canonicalize(json: unknown): string {
  return canonicalJson(json) ?? "null";
}
