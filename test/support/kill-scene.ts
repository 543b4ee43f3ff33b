import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, onTestFinished } from "vitest";
import { DaemonProcess } from "./daemon-process.ts";
import { freePort } from "./free-port.ts";
import { History } from "./history.ts";
import { type JobRow, jobRows } from "./job-rows.ts";
import { RawClient } from "./raw-client.ts";
import type { FaultHandle } from "./sim-ollama/fault-rules.ts";
import type { JournalEvent } from "./sim-ollama/journal.ts";
import type { ModelInit } from "./sim-ollama/model-spec.ts";
import type { SimOllama } from "./sim-ollama/sim-ollama.ts";
import { startSim } from "./start-sim.ts";
import { until } from "./until.ts";

type JobView = {
  readonly job_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly result: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
};

/** Longer than any start takes on a busy machine; what is measured is measured elsewhere. */
const startedMsMax = 20_000;

const embedder: ModelInit = {
  name: "nomic-embed-text",
  sizeBytes: 300_000_000,
  capabilities: ["embedding"],
};

/** A native chat; its words tell the simulated model how much to say and how fast. */
export function chatAbout(about: string, tokens = 5, tokenMs = 1) {
  const content = `${about} [[tokens=${tokens}]] [[token-ms=${tokenMs}]]`;
  return { model: "llama3.2", messages: [{ role: "user", content }] };
}

/** A simulated Ollama, a database, and one life of the daemon after another. */
export class KillScene {
  readonly sim: SimOllama;
  readonly port: number;
  readonly file: string;
  readonly history: History;
  readonly #settings: Readonly<Record<string, string>>;
  #daemon: DaemonProcess | null = null;

  private constructor(sim: SimOllama, port: number, file: string, settings: KillScene["settings"]) {
    this.sim = sim;
    this.port = port;
    this.file = file;
    this.history = new History(file);
    this.#settings = settings;
  }

  /** Nothing runs yet but the target. */
  static async open(
    model: Partial<ModelInit> = {},
    more: Readonly<Record<string, string>> = {},
  ): Promise<KillScene> {
    const sim = await startSim({
      models: [{ name: "llama3.2", ...model }, { name: "qwen3" }, embedder],
    });
    const folder = await mkdtemp(join(tmpdir(), "foreman-kill-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    const file = more.FOREMAN_DB ?? join(folder, "foreman.db");
    return new KillScene(sim, port, file, {
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: file,
      FOREMAN_POLL_INTERVAL: "100ms",
      ...more,
    });
  }

  get settings(): Readonly<Record<string, string>> {
    return this.#settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get events(): readonly JournalEvent[] {
    return this.sim.journal.events;
  }

  get daemon(): DaemonProcess {
    if (this.#daemon === null) throw new Error("no daemon was started");
    return this.#daemon;
  }

  /** A new life, which does not answer yet. */
  spawn(more: Readonly<Record<string, string>> = {}): DaemonProcess {
    this.#daemon = new DaemonProcess({ ...this.#settings, ...more });
    return this.#daemon;
  }

  async boot(more: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.spawn(more).listening(this.url, startedMsMax);
  }

  /** kill -9, in this very turn; resolves when the process is gone and its database was looked at. */
  async kill(): Promise<void> {
    this.daemon.kill("SIGKILL");
    await this.killed();
  }

  /** The same for a daemon that somebody else kills. */
  async killed(): Promise<void> {
    expect(await this.daemon.exited()).toBe("SIGKILL");
    this.history.inspect();
  }

  /** POST /jobs, which must be taken: the job's id. */
  async submit(body: object, key: string | null = null): Promise<string> {
    const text = JSON.stringify(key === null ? body : { ...body, idempotency_key: key });
    this.history.submits(text);
    const answer = await fetch(`${this.url}/jobs`, { method: "POST", body: text });
    expect(answer.status).toBe(202);
    const { job_id: id } = (await answer.json()) as JobView;
    this.history.acknowledged(id, key);
    return id;
  }

  /** POST /jobs, whose answer nobody needs to read; resolves when its bytes are in the kernel. */
  async submitUnheard(body: object, key: string | null = null): Promise<RawClient> {
    const client = new RawClient(this.port);
    await once(client.socket, "connect");
    const whole = key === null ? body : { ...body, idempotency_key: key };
    this.history.submits(JSON.stringify(whole));
    client.post("/jobs", whole);
    await until("its bytes are out", () => client.socket.writableLength === 0);
    return client;
  }

  async show(id: string): Promise<JobView> {
    const view = (await (await fetch(`${this.url}/jobs/${id}`)).json()) as JobView;
    this.history.told(id, view.state);
    return view;
  }

  /** Of the jobs of the history, that one alone may be waiting. */
  async cancelWaiting(id: string): Promise<void> {
    this.history.asksToCancel(id);
    await fetch(`${this.url}/jobs/cancel`, { method: "POST", body: '{"all":true}' });
  }

  async cancel(id: string): Promise<JobView> {
    this.history.asksToCancel(id);
    const answer = await fetch(`${this.url}/jobs/${id}/cancel`, { method: "POST" });
    const view = (await answer.json()) as JobView;
    this.history.answersCancel(id, view.state);
    return view;
  }

  async ended(id: string, withinMs = 5_000): Promise<JobView> {
    const isEnded = async () =>
      ["done", "failed", "cancelled"].includes((await this.show(id)).state);
    await until(`${id} ends`, isEnded, withinMs);
    return await this.show(id);
  }

  rows(): readonly JobRow[] {
    return jobRows(this.file);
  }

  row(id: string): JobRow | undefined {
    return this.rows().find((row) => row.id === id);
  }

  /** How often the target was asked for a generation. */
  get startCount(): number {
    return this.events.filter(({ kind, route }) => kind === "request" && route === "/api/chat")
      .length;
  }

  /** How many generations have ended at the target, one way or another. */
  get endCount(): number {
    return this.events.filter(({ kind }) => kind === "generate-end").length;
  }

  /** The next generation stops after so many tokens, until it is released. */
  stallAfter(tokens: number): FaultHandle {
    const fault = { kind: "stall-after-tokens", tokens } as const;
    return this.sim.fail({ route: "/api/chat", times: 1, fault });
  }

  /** Has a job that works and hangs amid its answer, until `stall` is released. */
  async hangs(about: string): Promise<{ readonly id: string; readonly stall: FaultHandle }> {
    const stall = this.stallAfter(3);
    const id = await this.submit(chatAbout(about));
    await until("it works", () => this.row(id)?.state === "working");
    return { id, stall };
  }

  /** Looks into the journal at every turn of the loop, so that the caller acts right after. */
  async sees(kind: JournalEvent["kind"], nth = 1, withinMs = 5_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    const count = () =>
      this.events.filter((event) => event.kind === kind && event.route === "/api/chat").length;
    while (count() < nth) {
      if (performance.now() > deadline) throw new Error(`not ${nth} of ${kind}`);
      await turn();
    }
  }

  /**
   * Takes the database's write lock: what the daemon wants to commit waits until it is released,
   * so that a kill can come just before a commit, every time.
   */
  holdCommits(): () => void {
    const database = new Database(this.file, { fileMustExist: true });
    database.exec("BEGIN IMMEDIATE");
    const release = () => {
      if (database.open) database.close();
    };
    onTestFinished(release);
    return release;
  }

  /**
   * Looks into the database without a pause, and without giving this process's other work a turn,
   * the target's included; kills the daemon as soon as `holds`.
   */
  killAsSoonAs(holds: (rows: readonly JobRow[]) => boolean): void {
    const deadline = performance.now() + 2_000;
    while (!holds(this.rows())) {
      if (performance.now() > deadline) throw new Error("the moment did not come");
    }
    this.daemon.kill("SIGKILL");
  }

  /** All that must hold of any history, whatever was killed when. */
  expectSound(): void {
    expect(this.history.violations(this.events)).toEqual([]);
  }
}
