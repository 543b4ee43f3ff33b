import { timingSafeEqual } from "node:crypto";
import type { Log } from "../log.ts";
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
export class Clients {
  readonly #options: ClientsOptions;
  readonly #own: readonly TokenEntry[];
  #entries: readonly TokenEntry[];

  /** @throws ForemanError `config_invalid`: see `readTokenFile` */
  constructor(options: ClientsOptions) {
    const { file, token } = options;
    this.#options = options;
    this.#own =
      token === null ? [] : [{ name: defaultName, hash: hashOf(token), scope: "admin", weight: 1 }];
    this.#entries = [...this.#own, ...(file === null ? [] : readTokenFile(file))];
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

  /** The weight of a client of that name; 1 for one that has no token. */
  weightOf(name: string): number {
    return this.#entries.find((entry) => entry.name === name)?.weight ?? 1;
  }

  /** Reads the file anew. One that cannot be read changes nothing, and the log says why. */
  reload(): void {
    const { file, log } = this.#options;
    if (file === null) {
      log.warn("SIGHUP: FOREMAN_TOKENS_FILE is not set; other settings are read at the start");
      return;
    }
    try {
      this.#entries = [...this.#own, ...readTokenFile(file)];
      log.info({ file, clients: this.#entries.length }, "tokens read anew");
    } catch (cause) {
      log.error({ err: cause }, "tokens not read anew: the ones before stay valid");
    }
  }
}
