import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export type Access =
  | { readonly kind: "granted"; readonly name: string | null }
  | { readonly kind: "denied" };

/** Routes that probes call without credentials. Compared with the raw URL: no spelling varies. */
const openRoutes = new Set(["/livez", "/healthz", "/readyz"]);

/**
 * Judges every request, whatever its route: default-deny once a token is set.
 *
 * @param token the one token that is valid, or null to let everyone in
 */
export function createAccess(token: string | null): (incoming: IncomingMessage) => Access {
  if (token === null) return () => ({ kind: "granted", name: null });
  const expected = digest(token);
  return (incoming) => {
    const isOpen = openRoutes.has((incoming.url ?? "").split("?", 1)[0] ?? "");
    if (isOpen && incoming.method !== "POST") return { kind: "granted", name: null };
    const presented = presentedToken(incoming);
    // Digests are of one length, so that the comparison tells nothing about the token's.
    const isValid = presented !== null && timingSafeEqual(digest(presented), expected);
    return isValid ? { kind: "granted", name: "default" } : { kind: "denied" };
  };
}

/** `Authorization: Bearer x`, or `x-api-key: x` as Anthropic's SDKs send it; one of them, once. */
function presentedToken({ headers, rawHeaders }: IncomingMessage): string | null {
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  if (names.filter((name) => name === "authorization").length > 1) return null;
  const [, bearer] = /^Bearer ([^\s]+)$/.exec(headers.authorization ?? "") ?? [];
  if (bearer !== undefined) return bearer;
  const key = headers["x-api-key"];
  return headers.authorization === undefined && typeof key === "string" ? key : null;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
