import type { IncomingMessage } from "node:http";
import type { Client, Clients } from "../../access/clients.ts";

export type Access =
  /** Null for who comes without a name, where none is asked for. */
  | { readonly kind: "granted"; readonly name: string | null; readonly scope: Client["scope"] }
  | { readonly kind: "denied" };

/** Routes that probes call without credentials. Compared with the raw URL: no spelling varies. */
const openRoutes = new Set(["/livez", "/healthz", "/readyz"]);

/** The page and its files, which are the same for everyone; what it shows wants a token. */
const pageFiles = /^\/foreman(\/|\/page\/[\w-]+\.\w+)?$/;

/** Judges every request, whatever its route: default-deny once there are tokens. */
export function createAccess(
  clients: Pick<Clients, "find" | "isAsked">,
): (incoming: IncomingMessage) => Access {
  if (!clients.isAsked) return () => ({ kind: "granted", name: null, scope: "admin" });
  return (incoming) => {
    const [path = ""] = (incoming.url ?? "").split("?", 1);
    const isOpen = openRoutes.has(path) || pageFiles.test(path);
    if (isOpen && incoming.method !== "POST") return { kind: "granted", name: null, scope: "user" };
    const presented = presentedToken(incoming);
    const client = presented === null ? null : clients.find(presented);
    if (client === null) return { kind: "denied" };
    return { kind: "granted", name: client.name, scope: client.scope };
  };
}

/**
 * `Authorization: Bearer x`, Basic with the token as its password, or `x-api-key: x` as Anthropic's
 * SDKs send it, which may send both: then it is the first. Null for none, and for two of one kind.
 */
function presentedToken({ headers, rawHeaders }: IncomingMessage): string | null {
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
  if (isTwice("authorization") || isTwice("x-api-key")) return null;
  const { authorization, "x-api-key": key } = headers;
  if (authorization === undefined) return typeof key === "string" && key !== "" ? key : null;
  const [, scheme, value = ""] = /^(Bearer|Basic) ([^\s]+)$/.exec(authorization) ?? [];
  if (scheme === undefined) return null;
  return scheme === "Bearer" ? value : passwordIn(value);
}

/** What follows the first colon; null for what is not exactly base64. */
function passwordIn(value: string): string | null {
  const bytes = Buffer.from(value, "base64");
  const text = bytes.toString("utf8");
  const colon = text.indexOf(":");
  return colon === -1 || bytes.toString("base64") !== value ? null : text.slice(colon + 1);
}
