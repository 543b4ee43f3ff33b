import { originProblem } from "../../wire/origin-pattern.ts";

/** What a policy looks at. Header values as received; null when the header is absent. */
type OriginFacts = {
  readonly method: string;
  readonly host: string | null;
  readonly origin: string | null;
};

/** Headers are name, value, name, value, in the order in which Go writes them. */
type OriginDecision =
  /** Let the request go on, and add these to whatever it is answered with. */
  | { readonly kind: "pass"; readonly headers: readonly string[] }
  | {
      readonly kind: "preflight";
      readonly statusCode: 204;
      readonly headers: readonly string[];
    }
  /** Answer with an empty body. */
  | { readonly kind: "refuse"; readonly statusCode: 403 };

export type OriginPolicy = (facts: OriginFacts) => OriginDecision;

const defaultHosts = ["localhost", "127.0.0.1", "0.0.0.0"];
const defaultSchemes = ["app", "file", "tauri", "vscode-webview", "vscode-file"];

const allowMethods = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
const ollamaHeaders = [
  "Authorization",
  "Content-Type",
  "User-Agent",
  "Accept",
  "X-Requested-With",
  "Openai-Beta",
  "X-Stainless-Arch",
  "X-Stainless-Async",
  "X-Stainless-Custom-Poll-Interval",
  "X-Stainless-Helper-Method",
  "X-Stainless-Lang",
  "X-Stainless-Os",
  "X-Stainless-Package-Version",
  "X-Stainless-Poll-Helper",
  "X-Stainless-Retry-Count",
  "X-Stainless-Runtime",
  "X-Stainless-Runtime-Version",
  "X-Stainless-Timeout",
];
const ownHeaders = ["Authorization", "Content-Type", "Accept", "Idempotency-Key", "Last-Event-ID"];

/** Half a day, as gin-contrib/cors has it. */
const maxAgeS = 43_200;

/**
 * The policy for Ollama's routes: Ollama's default origins and `origins`, which may hold one `*`
 * each. A page of foreman's own name passes whatever the lists say. Throws what `originProblem`
 * reports.
 * Source: Ollama server/routes.go and envconfig, gin-contrib/cors 1.7.2; checked against
 * test/fixtures/origins.jsonl.
 */
export function originPolicy(options: { readonly origins: readonly string[] }): OriginPolicy {
  const hosts = defaultHosts.flatMap((host) =>
    ["http://", "https://"].flatMap((scheme) => [`${scheme}${host}`, `${scheme}${host}:*`]),
  );
  const schemes = defaultSchemes.map((scheme) => `${scheme}://*`);
  return decideBy([...options.origins, ...hosts, ...schemes], ollamaHeaders);
}

/** The stricter policy for foreman's own routes: pages of its own name, and `origins`. */
export function ownOriginPolicy(options: { readonly origins: readonly string[] }): OriginPolicy {
  return decideBy(options.origins, ownHeaders);
}

function decideBy(patterns: readonly string[], allowHeaders: readonly string[]): OriginPolicy {
  for (const pattern of patterns) {
    const problem = originProblem(pattern);
    if (problem !== null) throw new Error(`origin "${pattern}": ${problem}`);
  }
  const allowsAll = patterns.includes("*");
  const isAllowed = matcherOf(patterns);
  return ({ method, host, origin }) => {
    const isCrossOrigin = origin !== null && origin !== "" && !isOwn(origin, host ?? "");
    if (!isCrossOrigin) return { kind: "pass", headers: [] };
    if (!allowsAll && !isAllowed(origin)) return { kind: "refuse", statusCode: 403 };
    const allowOrigin = ["Access-Control-Allow-Origin", allowsAll ? "*" : origin];
    if (method === "OPTIONS") {
      const headers = preflightHeaders(allowHeaders, allowOrigin, allowsAll);
      return { kind: "preflight", statusCode: 204, headers };
    }
    return { kind: "pass", headers: allowsAll ? allowOrigin : [...allowOrigin, "Vary", "Origin"] };
  };
}

function isOwn(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Entries without a wildcard are compared trimmed and in lower case, those with one as written. */
function matcherOf(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.map((pattern) => pattern.trim().toLowerCase()));
  const wild = patterns.flatMap((pattern) => {
    const star = pattern.indexOf("*");
    return star < 0 ? [] : [{ before: pattern.slice(0, star), after: pattern.slice(star + 1) }];
  });
  return (origin) =>
    exact.has(origin) ||
    wild.some(({ before, after }) => origin.startsWith(before) && origin.endsWith(after));
}

function preflightHeaders(
  allowHeaders: readonly string[],
  allowOrigin: readonly string[],
  allowsAll: boolean,
): readonly string[] {
  const vary = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"];
  return [
    ...["Access-Control-Allow-Headers", allowHeaders.join(",")],
    ...["Access-Control-Allow-Methods", allowMethods],
    ...allowOrigin,
    ...["Access-Control-Max-Age", String(maxAgeS)],
    ...(allowsAll ? [] : vary.flatMap((value) => ["Vary", value])),
  ];
}
