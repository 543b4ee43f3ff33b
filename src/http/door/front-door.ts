import type { IncomingMessage } from "node:http";
import { viaToken } from "../../target/via.ts";

/** Methods that Ollama knows, and OPTIONS; TRACE and CONNECT would only reflect or tunnel. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** The message that a request is refused with before anything else looks at it. */
type Refusal = { readonly statusCode: 400 | 405 | 501 | 505; readonly message: string };

/**
 * What Node's parser lets through and foreman does not (RFC 9112 §3.2, §6.1): requests that two
 * servers in a row may read in two ways. Null for a sound request.
 * 1. HTTP/1. 2. Exactly one Host. 3. A known method. 4. A path, not a URL of another origin. 5. No
 * transfer coding but chunked, and none in HTTP/1.0. 6. No body where the method has no use for
 * one.
 */
export function refuseUnsound(incoming: IncomingMessage): Refusal | null {
  const { headers, httpVersion, method = "", rawHeaders, url = "" } = incoming;
  // 1.
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return { statusCode: 505, message: "505 HTTP version not supported" };
  }
  // 2.
  if (count(rawHeaders, "host") !== 1 || headers.host === "") {
    return { statusCode: 400, message: "exactly one Host header is required" };
  }
  // 3.
  if (!methods.has(method)) return { statusCode: 405, message: "405 method not allowed" };
  // 4.
  if (!url.startsWith("/") || url.includes("#") || routePath(url) === null) {
    return { statusCode: 400, message: "the request target must be a path in valid encoding" };
  }
  // 5.
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && (coding.toLowerCase() !== "chunked" || httpVersion !== "1.1")) {
    return { statusCode: 501, message: `transfer coding not supported: ${coding}` };
  }
  // 6.
  const hasBody = coding !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (hasBody && (method === "GET" || method === "HEAD")) {
    return { statusCode: 400, message: `${method} takes no body` };
  }
  return null;
}

/**
 * The path as Go's router reads it: decoded once, without the query. Routes are found by it, so
 * that no spelling of a queued route slips past the queue. Null for a path that cannot be decoded.
 */
export function routePath(url: string): string | null {
  const end = url.indexOf("?");
  const path = end === -1 ? url : url.slice(0, end);
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** How often the request passed through a foreman already, by its Via header (RFC 9110 §7.6.3). */
export function passesOf(incoming: IncomingMessage): number {
  const via = incoming.headers.via ?? "";
  return via === "" ? 0 : via.split(",").filter((hop) => hop.trim() === viaToken).length;
}

function count(rawHeaders: readonly string[], lowerName: string): number {
  let found = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === lowerName) found += 1;
  }
  return found;
}
