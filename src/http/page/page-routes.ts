import { ForemanError } from "../../errors.ts";
import { answer, type Call, tell } from "../call.ts";
import { createPageFiles, type PageFile } from "./page-files.ts";

type Route = readonly [method: string, path: string, handler: (call: Call) => void];

/**
 * What the page may do: its own scripts and styles, and questions to the foreman that served it.
 * Trusted Types let no text become HTML but lit-html's own templates, which are constants.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html",
].join("; ");

const guards = [
  ...["Content-Security-Policy", policy],
  ...["X-Content-Type-Options", "nosniff"],
  ...["Referrer-Policy", "no-referrer"],
  ...["Cross-Origin-Opener-Policy", "same-origin"],
  ...["Cross-Origin-Resource-Policy", "same-origin"],
];

/** The page, its files, and who looks at it. All but the last are open: they hold no secret. */
export function pageRoutes(): readonly Route[] {
  const files = createPageFiles();
  return [
    // Relative, so that it leads back through whatever prefix a proxy took off.
    ["GET", "/foreman", (call) => answer(call, 308, ["Location", "foreman/"], "")],
    ["GET", "/foreman/", (call) => send(call, files().get("index.html"))],
    ["GET", "/foreman/page/:name", (call) => send(call, files().get(nameIn(call)))],
    ["GET", "/foreman/me", (call) => tell(call, 200, callerOf(call))],
  ];
}

function callerOf({ client, isAdmin }: Call) {
  return { client, scope: isAdmin ? "admin" : "user" };
}

function nameIn({ path }: Call): string {
  return path.split("/")[3] ?? "";
}

function send(call: Call, file: PageFile | undefined): void {
  if (file === undefined) throw new ForemanError("not_found", `the page has no ${call.path}`);
  const { bytes, contentType, etag } = file;
  // Asked anew each time: an upgrade must not leave half an old page behind.
  const headers = [...guards, "ETag", etag, "Cache-Control", "no-cache"];
  const known = call.incoming.headers["if-none-match"] ?? "";
  // Proxies that compress mark the tag as weak, which is as good here (RFC 9110 §13.1.2).
  const isKnown = known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
  if (isKnown) {
    call.outgoing.writeHead(304, [...headers, ...call.extraHeaders]);
    call.outgoing.end();
    return;
  }
  answer(call, 200, ["Content-Type", contentType, ...headers], bytes);
}
