import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { invalidRequest } from "./invalid-request.ts";

/**
 * A JSON value in the one form that RFC 8785 (JCS) gives it: keys sorted by their UTF-16 units, no
 * space, numbers as JavaScript writes them. Numbers that no double holds were rounded when they
 * were parsed.
 *
 * @throws ForemanError `invalid_request` for half a surrogate pair, which has no form there
 */
export function canonicalJson(value: unknown): string {
  try {
    return canonicalize(value) ?? "null";
  } catch {
    const msg = "half a surrogate pair (\\ud800 to \\udfff) stands alone in a text";
    throw invalidRequest([{ loc: ["body"], msg, type: "string_unicode" }]);
  }
}

/** Hex sha256 of the canonical JSON; docs/api.md has vectors. Throws as `canonicalJson`. */
export function payloadHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
