import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DaemonLife } from "./daemon-life.ts";
import { freePort } from "./free-port.ts";
import { overlaps, tale } from "./sim-ollama/journal-queries.ts";
import { SeededRandom } from "./sim-ollama/seeded-random.ts";
import { type SimOllama, startSimOllama } from "./sim-ollama/sim-ollama.ts";

type StormOptions = {
  readonly items: number;
  /** Of the daemon, spread over the batch; the first comes while it is being submitted. */
  readonly kills: number;
  readonly seed: string;
  readonly say?: (line: string) => void;
};

export type BatchStormReport = {
  readonly violations: readonly string[];
  /** The longest that a person waited for the first byte while foreman and Ollama were there. */
  readonly chatWaitMsMax: number;
  readonly chats: number;
  /** Generations that the target began. */
  readonly starts: number;
  readonly tookS: number;
};

type BatchView = {
  readonly job_id: string;
  readonly status: string;
  readonly submitted_count: number;
  readonly queued_count: number;
  readonly running_count: number;
  readonly completed_count: number;
  readonly failed_count: number;
  readonly cancelled_count: number;
};

type Result = {
  readonly request_id: string;
  readonly status: string;
  readonly content: string | null;
};

const model = "llama3.2";
const settledMsMax = 30 * 60_000;
const outageMs = 1_500;
const chatEveryMs = 150;

/** So many results are held against what the target says to the same question. */
const samplesMax = 50;

const promptOf = (item: number) => `item ${item} [[tokens=3]]`;
const idOf = (item: number) => `req_${String(item).padStart(6, "0")}`;

/**
 * One large batch before a daemon that is killed again and again, and a target that goes away in
 * the middle, with a person who chats all the while. At the end every counter must be exact and
 * every result readable.
 */
export async function batchStorm(options: StormOptions): Promise<BatchStormReport> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-batch-storm-"));
  const sim = await startSimOllama({
    numParallel: 8,
    models: [{ name: model, tokenMs: 0, loadMs: 20 }],
    journal: { eventsMax: 20_000_000 },
  });
  const storm = new BatchStorm({ ...options, folder, sim, port: await freePort() });
  try {
    return await storm.run();
  } finally {
    storm.stop();
    await sim.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type StormDeps = StormOptions & {
  readonly folder: string;
  readonly sim: SimOllama;
  readonly port: number;
};

class BatchStorm {
  readonly #deps: StormDeps;
  readonly #url: string;
  readonly #random: SeededRandom;
  readonly #violations: string[] = [];
  #daemon: DaemonLife | null = null;
  #isDisturbed = false;
  #isOver = false;
  #chats = 0;
  #chatWaitMsMax = 0;

  constructor(deps: StormDeps) {
    this.#deps = deps;
    this.#url = `http://127.0.0.1:${deps.port}`;
    this.#random = new SeededRandom(deps.seed);
  }

  async run(): Promise<BatchStormReport> {
    const { items, kills, sim, say = () => {} } = this.#deps;
    const startedMs = performance.now();
    const seconds = () => Math.round((performance.now() - startedMs) / 1_000);
    await this.#boot();
    const killed = kills > 0 ? this.#killDuringSubmission() : null;
    const id = await this.#submit();
    await killed;
    say(`submitted after ${seconds()} s`);

    const chatting = this.#chatOn();
    const marks = Array.from({ length: kills }, (_, i) => ((i + 1) * items) / (kills + 1));
    const outageAt = items / 2;
    let isOutageDue = true;
    let view = await this.#view(id);
    while (view.queued_count + view.running_count > 0) {
      await delay(50 + this.#random.next(100));
      view = await this.#view(id, view);
      const ended = items - view.queued_count - view.running_count;
      if (ended >= (marks[0] ?? Infinity)) {
        marks.shift();
        await this.#kill();
        say(`${ended} ended, killed after ${seconds()} s`);
      }
      if (isOutageDue && ended >= outageAt) {
        isOutageDue = false;
        await this.#disturbed(async () => {
          await sim.down();
          await delay(outageMs);
          await sim.up();
        });
      }
      if (performance.now() - startedMs > settledMsMax) throw new Error(JSON.stringify(view));
    }
    this.#isOver = true;
    await chatting;
    await this.#checkEnd(id, view);
    return {
      violations: this.#violations,
      chatWaitMsMax: Math.round(this.#chatWaitMsMax),
      chats: this.#chats,
      starts: sim.journal.events.filter(({ kind }) => kind === "generate-start").length,
      tookS: seconds(),
    };
  }

  stop(): void {
    this.#isOver = true;
    this.#daemon?.kill("SIGKILL");
  }

  async #boot(): Promise<void> {
    const { folder, port, sim } = this.#deps;
    this.#daemon = new DaemonLife({
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(folder, "foreman.db"),
      FOREMAN_POLL_INTERVAL: "500ms",
    });
    await this.#daemon.listening(this.#url, 30_000);
  }

  /** kill -9, and a new life; whoever waits meanwhile is not measured. */
  async #kill(): Promise<void> {
    await this.#disturbed(async () => {
      this.#daemon?.kill("SIGKILL");
      await this.#daemon?.exited();
      await this.#boot();
    });
  }

  async #disturbed(act: () => Promise<void>): Promise<void> {
    this.#isDisturbed = true;
    await act();
    // The target is polled, and the model loaded anew.
    await delay(1_000);
    this.#isDisturbed = false;
  }

  async #killDuringSubmission(): Promise<void> {
    await delay(this.#random.next(200));
    await this.#kill();
  }

  async #submit(): Promise<string> {
    const { items } = this.#deps;
    const body = JSON.stringify({
      ...{ provider: "ollama", model, job_type: "storm" },
      items: Array.from({ length: items }, (_, item) => ({
        request_id: idOf(item),
        messages: [{ role: "user", content: promptOf(item) }],
      })),
    });
    for (;;) {
      const view = await this.#ask<BatchView>("/batch", {
        method: "POST",
        headers: { "Idempotency-Key": "storm" },
        body,
      });
      if (view !== null) return view.job_id;
      await delay(100);
    }
  }

  /** Null: foreman is away, or broke off. */
  async #ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer | null> {
    try {
      const answer = await fetch(`${this.#url}/api/runtime/llm${path}`, init);
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as Answer;
      if (answer.status < 500) throw new Error(`${path}: ${answer.status} ${text}`);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
    }
    return null;
  }

  async #view(id: string, before: BatchView | null = null): Promise<BatchView> {
    for (;;) {
      const view = await this.#ask<BatchView>(`/jobs/${id}`);
      if (view !== null) {
        this.#checkCounts(view, before);
        return view;
      }
      await delay(50);
    }
  }

  #checkCounts(view: BatchView, before: BatchView | null): void {
    const { cancelled_count, completed_count, failed_count, queued_count, running_count } = view;
    const sum = queued_count + running_count + completed_count + failed_count + cancelled_count;
    this.#demand(sum === this.#deps.items, `I8 the counters sum up to ${sum}`);
    const isBack = completed_count < (before?.completed_count ?? 0);
    this.#demand(!isBack, `I2 completed went back to ${completed_count}`);
  }

  async #checkEnd(id: string, view: BatchView): Promise<void> {
    const { items, sim } = this.#deps;
    this.#demand(view.status === "completed", `it ended ${view.status}`);
    this.#demand(view.completed_count === items, `${view.completed_count} of ${items} completed`);
    const results = await this.#results(id);
    const ids = new Set(results.map(({ request_id }) => request_id));
    this.#demand(results.length === items, `${results.length} results`);
    this.#demand(ids.size === items, `${ids.size} different results`);
    const open = results.filter(({ content, status }) => status !== "completed" || !content);
    this.#demand(open.length === 0, `${open.length} results without content`);
    for (let sample = 0; sample < samplesMax; sample++) {
      const item = this.#random.next(items);
      const said = await this.#answerOfTarget(item);
      const kept = results[item]?.content;
      this.#demand(kept === said, `I3 ${idOf(item)}: kept "${kept}", the target says "${said}"`);
    }
    const { events } = sim.journal;
    for (const { reason, requestIds } of overlaps(events)) {
      this.#demand(false, `I4 ${reason}${tale(events, requestIds)}`);
    }
  }

  async #results(id: string): Promise<readonly Result[]> {
    const headers = { accept: "application/x-ndjson" };
    const path = `${this.#url}/api/runtime/llm/jobs/${id}/results`;
    const lines = await (await fetch(path, { headers })).text();
    return lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Result);
  }

  /** The same question to the simulated model has the same answer. */
  async #answerOfTarget(item: number): Promise<string> {
    const messages = [{ role: "user", content: promptOf(item) }];
    const body = JSON.stringify({ model, messages, stream: false });
    const answer = await fetch(`${this.#deps.sim.url}/api/chat`, { method: "POST", body });
    return ((await answer.json()) as { message: { content: string } }).message.content;
  }

  async #chatOn(): Promise<void> {
    while (!this.#isOver) {
      await delay(chatEveryMs);
      if (this.#isDisturbed) continue;
      const startedMs = performance.now();
      const messages = [{ role: "user", content: `chat ${this.#chats} [[tokens=2]]` }];
      const body = JSON.stringify({ model, messages });
      const answer = await fetch(`${this.#url}/api/chat`, { method: "POST", body }).catch(
        () => null,
      );
      const waitedMs = performance.now() - startedMs;
      await answer?.text().catch(() => null);
      if (this.#isDisturbed || answer === null) continue;
      this.#chats += 1;
      this.#demand(answer.ok, `a chat was answered ${answer.status}`);
      this.#chatWaitMsMax = Math.max(this.#chatWaitMsMax, waitedMs);
    }
  }

  #demand(holds: boolean, otherwise: string): void {
    if (!holds && this.#violations.length < 100) this.#violations.push(otherwise);
  }
}
