import type { ClientRules } from "../../src/access/client-rules.ts";
import { buildEngine, type Engine, type Outside } from "../../src/build-engine.ts";
import { readConfig } from "../../src/config.ts";
import { drain } from "../../src/dispatch/drain.ts";
import { enginePartsOf } from "../../src/foreman-parts.ts";
import { Lifecycle } from "../../src/lifecycle.ts";
import { readRemains } from "../../src/store/remains.ts";
import type { LifeClock } from "./life-clock.ts";

type LifeDeps = Omit<Outside, "clock" | "clients" | "remains"> & {
  readonly clock: LifeClock;
  readonly slots: number;
};

/** One life of the daemon: everything but its door, which needs sockets. */
export class Life {
  readonly number: number;
  readonly clock: LifeClock;
  /** Resolves when it is dead. */
  readonly over = Promise.withResolvers<"gone">();
  #engine: Engine | null = null;
  #lifecycle: Lifecycle | null = null;

  constructor(number: number, clock: LifeClock) {
    this.number = number;
    this.clock = clock;
  }

  /** Resolves when it serves; rejects if it could not start. */
  async start({ slots, ...outside }: LifeDeps): Promise<void> {
    const config = configOf(slots);
    const remains = await readRemains(outside.store, this.clock.wallMs());
    const engine = buildEngine(config, { ...outside, clients: equals, remains });
    const { drainTimeoutMs } = config;
    const http = { settled: async () => {} };
    this.#lifecycle = new Lifecycle({
      ...{ clock: this.clock, log: outside.log, parts: enginePartsOf(engine) },
      drain: () => drain({ ...engine, http, eventStreams: { end: () => {} }, drainTimeoutMs }),
    });
    await this.#lifecycle.start();
    this.#engine = engine;
  }

  /** Null before it serves and when it is dead. */
  get engine(): Engine | null {
    return this.clock.isDead ? null : this.#engine;
  }

  /** What a client is answered, or `gone`: the daemon died before it answered. */
  answered<T>(asked: Promise<T>): Promise<T | "gone"> {
    return Promise.race([asked, this.over.promise]);
  }

  /** As by SIGTERM; answers the orphans. */
  async stop(): Promise<readonly string[]> {
    return (await this.#lifecycle?.stop()) ?? [];
  }

  die(): void {
    this.clock.die();
    this.over.resolve("gone");
  }
}

/** The longest silence and the longest run of a generation, in ms. */
const stallMs = 15_000;
const runMs = 30_000;
export const attemptsMax = 3;

const equals: ClientRules = {
  weightOf: () => 1,
  slotsOf: () => null,
  topClassOf: () => "interactive",
};

const configs = new Map<number, ReturnType<typeof readConfig>>();

function configOf(slots: number) {
  const config =
    configs.get(slots) ??
    readConfig({
      FOREMAN_CHAT_SLOTS: String(slots),
      FOREMAN_STALL_TIMEOUT: `${stallMs}ms`,
      FOREMAN_RUN_TIMEOUT: `${runMs}ms`,
      FOREMAN_MAX_ATTEMPTS: String(attemptsMax),
      FOREMAN_SWAP_QUANTUM: "4/10s",
      FOREMAN_DRAIN_TIMEOUT: "5s",
    });
  configs.set(slots, config);
  return config;
}
