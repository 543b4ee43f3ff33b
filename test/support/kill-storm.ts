import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DaemonLife } from "./daemon-life.ts";
import { freePort } from "./free-port.ts";
import { History } from "./history.ts";
import { jobRows, lookInto } from "./job-rows.ts";
import type { Fault } from "./sim-ollama/fault.ts";
import { SeededRandom } from "./sim-ollama/seeded-random.ts";
import { type SimOllama, startSimOllama } from "./sim-ollama/sim-ollama.ts";
import { StormClients } from "./storm-clients.ts";
import { until } from "./until.ts";

type StormOptions = {
  readonly kills: number;
  /** Of what is done and in which order; when it happens is the machine's affair. */
  readonly seed: string;
  /** Told the number of each kill, from 1. */
  readonly onKill?: (kill: number) => void;
};

export type StormReport = {
  readonly jobs: number;
  readonly acknowledged: number;
  /** Rows by end, such as `failed: poison_item`. */
  readonly ends: Readonly<Record<string, number>>;
  /** Rows during which the daemon died at least once. */
  readonly struck: number;
  readonly starts: number;
  readonly violations: readonly string[];
};

/** How long a life lasts at most, from its making or from its first answer, in ms. */
const startMsMax = 600;
const lifeMsMax = 600;

/** Clients' acts in one life at most, and the longest pause between two. */
const actsMax = 30;
const pauseMsMax = 40;

const startedMsMax = 30_000;
const lastWorkMsMax = 120_000;

const faults: readonly Fault[] = [
  { kind: "reset" },
  { kind: "close" },
  { kind: "answer", status: 500, body: '{"error":"runner has crashed"}' },
  { kind: "reset-after-tokens", tokens: 1 },
  { kind: "truncate-after-tokens", tokens: 2 },
  { kind: "error-after-tokens", tokens: 1, message: "CUDA error" },
  { kind: "delay", ms: 30 },
];

/**
 * One daemon after another is killed at a random moment, amid clients who submit, cancel and leave,
 * before a target that fails and restarts. Then the last one works off what is left, and the
 * history is checked.
 */
export async function killStorm({ kills, onKill, seed }: StormOptions): Promise<StormReport> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-storm-"));
  const sim = await startSimOllama({
    numParallel: 8,
    models: [{ name: "llama3.2" }, { name: "qwen3", sizeBytes: 5_200_000_000 }],
    journal: { eventsMax: 20_000_000 },
  });
  const storm = new KillStorm({ sim, seed, port: await freePort(), folder });
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await storm.live();
      onKill?.(kill);
    }
    return await storm.finish();
  } finally {
    storm.stop();
    await sim.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type StormDeps = {
  readonly sim: SimOllama;
  readonly seed: string;
  readonly port: number;
  readonly folder: string;
};

class KillStorm {
  readonly #sim: SimOllama;
  readonly #random: SeededRandom;
  readonly #url: string;
  readonly #file: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #history: History;
  readonly #clients: StormClients;
  #daemon: DaemonLife | null = null;

  constructor({ folder, port, seed, sim }: StormDeps) {
    this.#sim = sim;
    this.#random = new SeededRandom(seed);
    this.#url = `http://127.0.0.1:${port}`;
    this.#file = join(folder, "foreman.db");
    this.#history = new History(this.#file);
    const random = new SeededRandom(`${seed} clients`);
    this.#clients = new StormClients({ url: this.#url, history: this.#history, random });
    this.#settings = {
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: this.#file,
      FOREMAN_POLL_INTERVAL: "200ms",
    };
  }

  /** One life, to its violent end. */
  async live(): Promise<void> {
    const daemon = this.#spawn();
    const load = this.#load(daemon);
    const diesEarly = this.#random.next(4) === 0;
    // How long a start takes depends on the machine: most lives are to have clients in them.
    if (!diesEarly) await daemon.listening(this.#url, startedMsMax);
    await delay(this.#random.next(diesEarly ? startMsMax : lifeMsMax));
    daemon.kill("SIGKILL");
    const end = await daemon.exited();
    if (end !== "SIGKILL") throw new Error(`the daemon died by itself (${end}): ${daemon.output}`);
    await load;
    this.#sim.clearFaults();
    this.#history.inspect();
  }

  /** The last life: it works off what is left, every key finds its job, and it goes in peace. */
  async finish(): Promise<StormReport> {
    const daemon = this.#spawn();
    await daemon.listening(this.#url, startedMsMax);
    await this.#clients.repeatAll();
    const isIdle = () =>
      lookInto(this.#file, (database) => {
        const open = database.prepare("SELECT count(*) FROM job WHERE ended_at_ms IS NULL");
        return open.pluck().get() === 0;
      });
    await until("all jobs have ended", isIdle, lastWorkMsMax);
    daemon.kill("SIGTERM");
    const code = await daemon.exited();
    const { events } = this.#sim.journal;
    const found = this.#history.violations(events);
    const rows = jobRows(this.#file);
    return {
      jobs: this.#clients.jobCount,
      acknowledged: this.#clients.acknowledgedCount,
      ends: counted(rows.map((row) => [row.state, row.end_reason].filter(Boolean).join(": "))),
      struck: rows.filter(({ deaths }) => deaths > 0).length,
      starts: events.filter(({ kind, route }) => kind === "request" && route === "/api/chat")
        .length,
      violations: code === 0 ? found : [...found, `X1 the last life ended with ${code}`],
    };
  }

  stop(): void {
    this.#daemon?.kill("SIGKILL");
  }

  #spawn(): DaemonLife {
    this.#daemon = new DaemonLife(this.#settings);
    return this.#daemon;
  }

  /** Never outlasts the daemon by much: its clients' connections break with it. */
  async #load(daemon: DaemonLife): Promise<void> {
    const acts: Promise<void>[] = [];
    const isDone = () => daemon.isOver || daemon.saysListening;
    await until("it listens or is dead", isDone, startedMsMax + startMsMax);
    for (let left = this.#random.next(actsMax); left > 0 && !daemon.isOver; left--) {
      await delay(this.#random.next(pauseMsMax));
      this.#hurtTarget(acts);
      acts.push(this.#clients.act());
    }
    await Promise.all(acts);
  }

  #hurtTarget(acts: Promise<void>[]): void {
    const dice = this.#random.next(100);
    if (dice < 10) {
      const fault = faults[this.#random.next(faults.length)];
      if (fault !== undefined) this.#sim.fail({ route: "/api/chat", times: 1, fault });
    } else if (dice < 13) acts.push(this.#sim.restart());
  }
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
