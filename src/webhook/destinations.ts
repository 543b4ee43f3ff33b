import type { AllowedHost } from "../wire/allowed-host.ts";
import { addressReach } from "./address-reach.ts";

const setting = "FOREMAN_WEBHOOK_ALLOW";

type ReadWebhook =
  /** As the WHATWG URL parser writes it: the spelling that is kept, and called. */
  | { readonly kind: "allowed"; readonly url: string }
  | { readonly kind: "refused"; readonly problem: string };

/** Where webhooks may go: to the hosts of `FOREMAN_WEBHOOK_ALLOW`, and nowhere else. */
export class Destinations {
  readonly #allowed: readonly AllowedHost[];

  constructor(allowed: readonly AllowedHost[]) {
    this.#allowed = allowed;
  }

  /** Reads the URL that a client gave; `problem` goes on after the URL's name, for that client. */
  read(text: string): ReadWebhook {
    const url = URL.parse(text);
    if (url === null) return { kind: "refused", problem: "is no absolute URL" };
    // The dot of a fully qualified name would make a second host of it.
    url.hostname = url.hostname.replace(/\.$/, "");
    const problem = this.problemOf(url);
    return problem === null ? { kind: "allowed", url: url.href } : { kind: "refused", problem };
  }

  /**
   * Why nothing may be sent to that URL; null if it may, as far as its spelling tells:
   *
   * 1. It is http or https, without user, password or fragment.
   * 2. An entry names its host, or is a wildcard over it; a literal address wants to be named.
   * 3. That entry has its port: its own, or any, or, if it has none, the one of the scheme.
   */
  problemOf(url: URL): string | null {
    // 1.
    if (url.protocol !== "http:" && url.protocol !== "https:") return "is neither http nor https";
    if (url.username !== "" || url.password !== "") return "must not hold a user or a password";
    if (url.href.includes("#")) return "must not have a fragment";
    // 2. and 3.
    if (this.#entryFor(url) !== null) return null;
    if (this.#allowed.length === 0)
      return `is not taken: this foreman calls no webhooks, for ${setting} is empty`;
    return `names ${url.hostname}:${portOf(url)}, which is not in ${setting}`;
  }

  /**
   * Why the address that a name stands for may not be called; null if it may:
   *
   * 1. A public one may.
   * 2. One of this network or machine may, if the entry names the host: a name below a wildcard's
   *    domain may be anybody's.
   * 3. Any other may only be named itself, and then no name stands for it.
   */
  addressProblem(url: URL, address: string): string | null {
    const reach = addressReach(address);
    // 1.
    if (reach === "public") return null;
    // 2.
    if (reach === "private") {
      if (this.#entryFor(url)?.isWildcard === false) return null;
      const remedy = `name the host itself in ${setting}`;
      return `${url.hostname} is ${address}, a private address: no wildcard reaches it, ${remedy}`;
    }
    // 3.
    return `${url.hostname} is ${address}, an address that no name may stand for`;
  }

  /** The entry that lets the URL pass, by name before by wildcard. */
  #entryFor(url: URL): AllowedHost | null {
    const fits = this.#allowed.filter((entry) => isHost(entry, url) && isPort(entry, url));
    return fits.find(({ isWildcard }) => !isWildcard) ?? fits[0] ?? null;
  }
}

function isHost({ host, isWildcard }: AllowedHost, { hostname }: URL): boolean {
  if (!isWildcard) return hostname === host;
  // Never an address: those end in a number, and no wildcard's domain does.
  return hostname.endsWith(`.${host}`);
}

function isPort({ port }: AllowedHost, url: URL): boolean {
  return port === "any" || portOf(url) === (port ?? schemePort(url));
}

function portOf(url: URL): number {
  return url.port === "" ? schemePort(url) : Number(url.port);
}

function schemePort({ protocol }: URL): number {
  return protocol === "https:" ? 443 : 80;
}
