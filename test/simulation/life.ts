import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf } from "../../src/access/new-token.ts";
import { readConfig } from "../../src/config.ts";
import { buildForeman, type Foreman, type Overrides } from "../../src/foreman.ts";
import { readRemains } from "../../src/store/remains.ts";
import type { LifeClock } from "./life-clock.ts";
import { receivers } from "./sim-receivers.ts";
import { type Asked, Exchange, Wire } from "./sim-wire.ts";

type LifeDeps = Omit<Overrides, "clock" | "remains" | "connections"> & {
  readonly settings: Settings;
};

type Settings = {
  readonly slots: number;
  /** Nobody is asked for a token. */
  readonly isOpen: boolean;
  /** Of the second client. */
  readonly weight: number;
  /** In the place of those below. */
  readonly more: Readonly<Record<string, string>>;
};

/** One life of the daemon. */
export class Life {
  readonly number: number;
  readonly clock: LifeClock;
  /** Resolves when it is dead. */
  readonly over = Promise.withResolvers<"gone">();
  readonly #exchanges = new Set<Exchange>();
  #foreman: Foreman | null = null;
  #accept: ((connection: Wire) => void) | null = null;
  #isServing = false;

  constructor(number: number, clock: LifeClock) {
    this.number = number;
    this.clock = clock;
  }

  /** Resolves when it serves; rejects if it could not start. */
  async start({ settings, ...outside }: LifeDeps): Promise<void> {
    const { clock } = this;
    const remains = await readRemains(outside.store, clock.wallMs());
    const connections: Overrides["connections"] = (accept) => {
      this.#accept = accept;
    };
    this.#foreman = buildForeman(configOf(settings), { ...outside, clock, remains, connections });
    await this.#foreman.start();
    this.#isServing = true;
  }

  /** False before it serves and when it is dead. */
  get isServing(): boolean {
    return this.#isServing && !this.clock.isDead;
  }

  /** A client's request. What comes to a daemon that is not there is over at once. */
  ask(asked: Asked): Exchange {
    const [near, far] = Wire.pair();
    const exchange = new Exchange(near, asked);
    if (this.clock.isDead || this.#accept === null) exchange.cut();
    else this.#accept(far);
    this.#exchanges.add(exchange);
    void exchange.over.promise.then(() => this.#exchanges.delete(exchange));
    return exchange;
  }

  /** As by SIGTERM; answers the orphans, or `gone` if it dies of something else meanwhile. */
  stop(): Promise<readonly string[] | "gone"> {
    return Promise.race([this.#foreman?.stop() ?? [], this.over.promise]);
  }

  die(): void {
    this.clock.die();
    this.over.resolve("gone");
    for (const exchange of this.#exchanges) exchange.cut();
  }
}

/** The longest silence and the longest run of a generation, in ms. */
const stallMs = 15_000;
const runMs = 30_000;
export const attemptsMax = 3;

/** What webhooks are signed with. */
export const hookSecret = "a-secret-of-some-letters-as-operators-have-it";

/** Who comes with that token; the last one is an operator. */
export const clients = ["client-0", "client-1", "operator"] as const;

export const tokenOf = (client: string): string => `fm_${client}`;

const configs = new Map<string, ReturnType<typeof readConfig>>();

function configOf(settings: Settings) {
  const key = JSON.stringify(settings);
  const config =
    configs.get(key) ??
    readConfig({
      FOREMAN_CHAT_SLOTS: String(settings.slots),
      FOREMAN_STALL_TIMEOUT: `${stallMs}ms`,
      FOREMAN_RUN_TIMEOUT: `${runMs}ms`,
      FOREMAN_MAX_ATTEMPTS: String(attemptsMax),
      FOREMAN_SWAP_QUANTUM: "4/10s",
      FOREMAN_DRAIN_TIMEOUT: "5s",
      FOREMAN_WEBHOOK_ALLOW: receivers.join(),
      FOREMAN_WEBHOOK_SECRET: hookSecret,
      ...(!settings.isOpen && { FOREMAN_TOKENS_FILE: tokensFile(settings.weight) }),
      ...settings.more,
    });
  configs.set(key, config);
  return config;
}

const files = new Map<number, string>();

/** A file of its own for each process that runs worlds: foreman reads tokens from nowhere else. */
function tokensFile(weight: number): string {
  const file = files.get(weight) ?? writeTokens(weight);
  files.set(weight, file);
  return file;
}

function writeTokens(weight: number): string {
  const folder = mkdtempSync(join(tmpdir(), "foreman-simulation-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "tokens.json");
  const tokens = clients.map((name) => ({
    ...{ name, hash: hashOf(tokenOf(name)) },
    ...{ scope: name === "operator" ? "admin" : "user", weight: name === clients[1] ? weight : 1 },
  }));
  writeFileSync(file, JSON.stringify({ tokens }), { mode: 0o600 });
  return file;
}
