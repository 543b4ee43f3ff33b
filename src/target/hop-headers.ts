import type { RawHeaders } from "./target.ts";

/** Connection-level headers that end at each hop (RFC 9110 §7.6.1), in either direction. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * What a client's request may not carry past foreman: credentials are foreman's to judge, Host,
 * Origin and framing are the target client's to set, and who the client is stays here, since Ollama
 * hands most headers on to its cloud.
 */
const endsAtForeman = new Set([
  "authorization",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "origin",
  "via",
  "x-api-key",
  "x-real-ip",
]);

const foremansOwnPrefixes = ["x-forwarded-", "x-foreman-"];

/** What foreman decides on its own side and so does not repeat from the target. */
const targetsOwnPrefixes = ["access-control-"];

/** The headers of a client's request that the target may see, in their order and spelling. */
export function headersForTarget(rawHeaders: RawHeaders): string[] {
  return keep(rawHeaders, (name) => !endsAtForeman.has(name) && !begins(name, foremansOwnPrefixes));
}

/** The headers of the target's answer that the client may see, in their order and spelling. */
export function headersForClient(rawHeaders: RawHeaders): string[] {
  return keep(rawHeaders, (name) => !begins(name, targetsOwnPrefixes));
}

function keep(rawHeaders: RawHeaders, isKept: (lowerName: string) => boolean): string[] {
  const named = namedByConnection(rawHeaders);
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const lowerName = name.toLowerCase();
    if (hopByHop.has(lowerName) || named?.has(lowerName) || !isKept(lowerName)) continue;
    kept.push(name, rawHeaders[i + 1] ?? "");
  }
  return kept;
}

/** Connection may name further headers that end here; null in the usual case that it names none. */
function namedByConnection(rawHeaders: RawHeaders): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== "connection") continue;
    for (const token of (rawHeaders[i + 1] ?? "").toLowerCase().split(",")) {
      const name = token.trim();
      if (name === "" || name === "close" || name === "keep-alive") continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}

function begins(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

/** The headers without those of that name (given in lower case). */
export function without(rawHeaders: RawHeaders, lowerName: string): string[] {
  return rawHeaders.flatMap((name, i) => {
    if (i % 2 === 1 || name.toLowerCase() === lowerName) return [];
    return [name, rawHeaders[i + 1] ?? ""];
  });
}

/** The values of all headers of that name (given in lower case), in their order. */
export function headerValues(rawHeaders: RawHeaders, lowerName: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === lowerName);
}

/** The value of the first header of that name (given in lower case), or null. */
export function headerValue(rawHeaders: RawHeaders, lowerName: string): string | null {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === lowerName) return rawHeaders[i + 1] ?? null;
  }
  return null;
}
