import { timingSafeEqual } from "node:crypto";
import type { JobClass } from "../job.ts";
import type { Log } from "../log.ts";
import type { ClientRules } from "./client-rules.ts";
import { hashOf } from "./new-token.ts";
import { defaultName, readTokenFile, type TokenEntry } from "./token-file.ts";

/** Who a token belongs to; a `user` may neither manage models nor see what others do. */
export type Client = Pick<TokenEntry, "name" | "scope">;

type ClientsOptions = {
  /** FOREMAN_TOKEN: an admin's. Null for none. */
  readonly token: string | null;
  /** FOREMAN_TOKENS_FILE; null for none. */
  readonly file: string | null;
  readonly log: Log;
};

/** The clients that have a token. */
export class Clients implements ClientRules {
  readonly #options: ClientsOptions;
  readonly #own: readonly TokenEntry[];
  #entries: readonly TokenEntry[] = [];
  #byName: ReadonlyMap<string, TokenEntry> = new Map();

  /** @throws ForemanError `config_invalid`: see `readTokenFile` */
  constructor(options: ClientsOptions) {
    const { file, token } = options;
    this.#options = options;
    this.#own = token === null ? [] : [ownEntry(token)];
    this.#know(file === null ? [] : readTokenFile(file));
  }

  /** Whether a token is asked for at all. A file without entries lets nobody in. */
  get isAsked(): boolean {
    return this.#options.token !== null || this.#options.file !== null;
  }

  /**
   * Whose the token is; null if nobody's. Takes as long for every token: digests are of one length,
   * and all are compared.
   */
  find(presented: string): Client | null {
    const hash = Buffer.from(hashOf(presented));
    let found: Client | null = null;
    for (const entry of this.#entries) {
      if (timingSafeEqual(Buffer.from(entry.hash), hash)) found = entry;
    }
    return found;
  }

  weightOf(client: string): number {
    return this.#byName.get(client)?.weight ?? 1;
  }

  slotsOf(client: string): number | null {
    return this.#byName.get(client)?.slots ?? null;
  }

  topClassOf(client: string): JobClass {
    return this.#byName.get(client)?.priority ?? "interactive";
  }

  /** Reads the file anew. One that cannot be read changes nothing, and the log says why. */
  reload(): void {
    const { file, log } = this.#options;
    if (file === null) {
      log.warn("SIGHUP: FOREMAN_TOKENS_FILE is not set; other settings are read at the start");
      return;
    }
    try {
      this.#know(readTokenFile(file));
      log.info({ file, clients: this.#entries.length }, "tokens read anew");
    } catch (cause) {
      log.error({ err: cause }, "tokens not read anew: the ones before stay valid");
    }
  }

  #know(named: readonly TokenEntry[]): void {
    this.#entries = [...this.#own, ...named];
    this.#byName = new Map(this.#entries.map((entry) => [entry.name, entry]));
  }
}

/** FOREMAN_TOKEN's. */
function ownEntry(token: string): TokenEntry {
  const facts = { scope: "admin", weight: 1, priority: "interactive" } as const;
  return { name: defaultName, hash: hashOf(token), ...facts };
}
