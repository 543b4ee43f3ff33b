import canonicalJson from "canonicalize";

/**
 * The canonical JSON (RFC 8785) of what JSON.parse gave; docs/api.md has vectors of its sha256.
 *
 * @throws Error for what has none: numbers past a double's range, such as 1e999, which is read as
 * infinity, and half a surrogate pair
 */
export function canonicalize(json: unknown): string {
  return canonicalJson(json) ?? "null";
}
