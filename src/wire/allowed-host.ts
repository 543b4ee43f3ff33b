/** Where webhooks may go: one entry of the list of an operator. */
export type AllowedHost = {
  /** As the WHATWG URL parser writes it; of a wildcard what follows its star. */
  readonly host: string;
  readonly isWildcard: boolean;
  /** Null: the one of the URL's scheme. */
  readonly port: number | "any" | null;
};

const shape = /^(\*\.)?(\[[^\]]*\]|[^:[\]]+)(?::(\d{1,5}|\*))?$/;

/**
 * Reads `hooks.example.com`, `hooks.example.com:8443`, `localhost:*`, `*.example.com`,
 * `10.0.0.7:80` or `[::1]:9000`. Spellings of an address (0x7f.1) become that address. Answers what
 * is wrong with the entry in words, if something is.
 */
export function parseAllowedHost(entry: string): AllowedHost | string {
  const [, star, name = "", port] = shape.exec(entry) ?? [];
  if (name === "" || /[\s/?#@\\*%]/.test(name)) {
    return "is no host: write hooks.example.com, hooks.example.com:8443 or *.example.com";
  }
  const host = URL.parse(`http://${name}`)?.hostname.replace(/\.$/, "") ?? "";
  if (host === "") return "is no host that a URL can name";
  const isWildcard = star !== undefined;
  if (isWildcard && isAddress(host)) return "is a wildcard over an address: name each address";
  if (port === undefined || port === "*") {
    return { host, isWildcard, port: port === undefined ? null : "any" };
  }
  if (Number(port) === 0 || Number(port) > 65_535) return `has no port ${port}`;
  return { host, isWildcard, port: Number(port) };
}

/** Whether a host, as the WHATWG URL parser writes it, is a literal address and no name. */
function isAddress(host: string): boolean {
  return host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
