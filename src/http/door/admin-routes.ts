import { posix } from "node:path";

/** Each matched against a cleaned path in small letters. */
const adminRoutes: readonly (readonly [methods: RegExp, path: RegExp])[] = [
  [/./, /^\/api\/(pull|create|push|copy|delete|blobs(\/.*)?)$/],
  // The box's account at ollama.com.
  [/./, /^\/api\/(me|signin|signout|user(\/.*)?)$/],
  [/./, /^\/foreman\/(backup|changes|pause|resume|drain|slots|models\/(load|unload))$/],
  [/^POST$/, /^\/jobs\/cancel$/],
  [/^(PUT|PATCH)$/, /^\/api\/runtime\/llm\/providers(\/.*)?$/],
];

/** What everyone with a token may ask Ollama for by POST. */
const openPosts = new Set([
  ...["chat", "generate", "embed", "embeddings", "show"].map((name) => `/api/${name}`),
  ...["chat/completions", "completions", "responses", "messages"].map((name) => `/v1/${name}`),
  ...["embeddings", "audio/transcriptions"].map((name) => `/v1/${name}`),
]);

/** Methods that only read, by what HTTP says of them. */
const readingMethods = /^(GET|HEAD|OPTIONS)$/;

/** More layers of %25 than any chain of proxies takes off. */
const decodingsMax = 4;

/**
 * Whether the route is an admin's alone. What foreman's router or any server behind it could take
 * for such a route counts as one: doubled slashes, dot segments, backslashes, capitals, a slash at
 * the end, and encodings inside encodings.
 *
 * So is what foreman does not know of Ollama, unless it only reads: a newer one may have routes
 * that change the models, which a list of what is closed would leave open for a long time.
 *
 * @param path decoded once, without the query
 */
export function isAdminRoute(method: string, path: string): boolean {
  return readingsOf(path).some(
    (reading) =>
      adminRoutes.some(([methods, route]) => methods.test(method) && route.test(reading)) ||
      isUnknown(method, reading),
  );
}

function isUnknown(method: string, reading: string): boolean {
  if (!/^\/(api|v1)(\/|$)/.test(reading) || readingMethods.test(method)) return false;
  if (reading.startsWith("/api/runtime/")) return false;
  return method !== "POST" || !openPosts.has(reading);
}

function readingsOf(path: string): readonly string[] {
  const readings: string[] = [];
  let text = path;
  for (let i = 0; i <= decodingsMax; i += 1) {
    const slashed = text.replaceAll("\\", "/").toLowerCase();
    readings.push(posix.normalize(slashed).replace(/\/+$/, ""));
    const decoded = decodedOnce(text);
    if (decoded === text) break;
    text = decoded;
  }
  return readings;
}

function decodedOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
