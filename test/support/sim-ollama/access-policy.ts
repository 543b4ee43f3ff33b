import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6 } from "node:net";
import { hostname } from "node:os";

/** What Ollama's CORS and Host checks make of a request, before any handler sees it. */
export type Access = {
  /** Null: go on. Else answer with this status and an empty body. */
  readonly status: 204 | 403 | null;
  readonly headers: readonly (readonly [string, string])[];
};

const allowedHeaders =
  "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch," +
  "X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method," +
  "X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper," +
  "X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout";

const defaultOrigins = [
  ...["localhost", "127.0.0.1", "0.0.0.0"].flatMap((host) =>
    ["http", "https"].flatMap((scheme) => [`${scheme}://${host}`, `${scheme}://${host}:*`]),
  ),
  "app://*",
  "file://*",
  "tauri://*",
  "vscode-webview://*",
  "vscode-file://*",
];

/**
 * Judges Origin first and Host second, as Ollama bound to loopback does (gin-contrib/cors 1.7.2,
 * server/routes.go; checked against a real one). `origins` are those of OLLAMA_ORIGINS.
 */
export function judgeAccess(request: IncomingMessage, origins: readonly string[]): Access {
  const host = request.headers.host ?? "";
  const cors = judgeOrigin(request, host, origins);
  if (cors.status !== null) return cors;
  const name = hostName(host);
  if (isAllowedAddress(name)) return cors;
  if (!isAllowedName(name.toLowerCase())) return { ...cors, status: 403 };
  return request.method === "OPTIONS" ? { ...cors, status: 204 } : cors;
}

function judgeOrigin(request: IncomingMessage, host: string, extra: readonly string[]): Access {
  const { origin } = request.headers;
  if (!origin || origin === `http://${host}` || origin === `https://${host}`) {
    return { status: null, headers: [] };
  }
  const origins = [...extra, ...defaultOrigins];
  if (!origins.some((pattern) => matches(origin, pattern))) return { status: 403, headers: [] };
  const isAny = extra.includes("*");
  const allowed: [string, string] = ["Access-Control-Allow-Origin", isAny ? "*" : origin];
  const vary: [string, string][] = isAny ? [] : [["Vary", "Origin"]];
  if (request.method !== "OPTIONS") return { status: null, headers: [allowed, ...vary] };
  const headers: [string, string][] = [
    ["Access-Control-Allow-Headers", allowedHeaders],
    ["Access-Control-Allow-Methods", "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"],
    allowed,
    ["Access-Control-Max-Age", "43200"],
    ...vary,
    ["Vary", "Access-Control-Request-Method"],
    ["Vary", "Access-Control-Request-Headers"],
  ];
  return { status: 204, headers };
}

/** A star stands for anything, so `localhost:*` lets `localhost:3000.evil.example` in. */
function matches(origin: string, pattern: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return origin === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return (
    origin.length >= before.length + after.length &&
    origin.startsWith(before) &&
    origin.endsWith(after)
  );
}

/** Go's net.SplitHostPort, with the whole text where there is no port. */
function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]:[^:]*$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? "";
  return host.split(":").length === 2 ? host.slice(0, host.indexOf(":")) : host;
}

function isAllowedAddress(name: string): boolean {
  if (isIPv4(name)) return /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^0\.0\.0\.0$/.test(name);
  return isIPv6(name) && (name === "::1" || name === "::" || /^f[cd]/i.test(name));
}

function isAllowedName(name: string): boolean {
  if (name === "" || name === "localhost" || name === hostname().toLowerCase()) return true;
  return [".localhost", ".local", ".internal"].some((domain) => name.endsWith(domain));
}
