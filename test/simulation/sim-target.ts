// An Ollama in virtual time: polls, loading, generations token by token, and everything that may
// go wrong with them. It keeps a journal, and says at once when two things run that must not.
import type {
  Target,
  TargetExchange,
  TargetFailure,
  TargetRequest,
  TargetSink,
} from "../../src/target/target.ts";
import type { ManualClock } from "../support/manual-clock.ts";
import type { SeededRandom } from "../support/sim-ollama/seeded-random.ts";
import type { Fate, Work } from "./plan.ts";

/** Two names of one weights, and two of their own. */
export const models = [
  { name: "ant:latest", digest: "d-ant", weights: "a".repeat(64), loadMs: 1_000 },
  { name: "ant-too:latest", digest: "d-ant-too", weights: "a".repeat(64), loadMs: 1_000 },
  { name: "bee:latest", digest: "d-bee", weights: "b".repeat(64), loadMs: 3_000 },
  { name: "cow:latest", digest: "d-cow", weights: "c".repeat(64), loadMs: 2_000 },
] as const;

/** One start of one request, or of an item of a batch, at the target. */
export type Start = {
  readonly name: string;
  readonly atMs: number;
  readonly life: number;
  /** What was sent of an answer so far, and what the model said in it. */
  text: string;
  said: string;
  /** Null while it runs. */
  endedAtMs: number | null;
  outcome: "running" | "whole" | "error" | "broken";
};

type TargetHooks = {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly slots: number;
  readonly residentsMax: number;
  readonly works: ReadonlyMap<string, Work>;
  readonly note: (what: string) => void;
  readonly violated: (what: string) => void;
  /** Its daemon may die of hearing this. */
  readonly mayDie: (moment: "head" | "end") => boolean;
  /** How long it takes to notice that it was cut off, in ms; for a broken world. */
  readonly noticeMs?: number | undefined;
  /** The last byte of each answer is lost on the way; for a broken world. */
  readonly isLossy?: boolean | undefined;
};

type Runner = { readonly weights: string; readonly name: string; readonly digest: string };

export class SimTarget {
  readonly starts: Start[] = [];
  spell: "away" | "mute" | null = null;
  readonly #hooks: TargetHooks;
  readonly #open = new Set<SimExchange>();
  readonly #dead = new Set<number>();
  /** Most recently used last. */
  #loaded: Runner[] = [];
  readonly #generations = new Map<SimExchange, string>();
  #busyAtMs = 0;

  constructor(hooks: TargetHooks) {
    this.#hooks = hooks;
  }

  /** The target as one life of the daemon sees it. */
  of(life: number): Target {
    return {
      origin: "http://target.test:11434",
      send: (request, sink) => this.#send(request, sink, life),
      close: async () => {},
    };
  }

  /** Virtual ms at which something was last generated; now, if something is. */
  get busyAtMs(): number {
    return this.#generations.size > 0 ? this.#hooks.clock.monotonicMs() : this.#busyAtMs;
  }

  /** It goes: connections break, and nothing is loaded when it returns. */
  goAway(): void {
    this.spell = "away";
    this.#loaded = [];
    for (const exchange of [...this.#open]) exchange.fail("lost");
  }

  /** Its daemon died: the connections of that life close. */
  noteDeath(life: number): void {
    this.#dead.add(life);
    for (const exchange of [...this.#open]) if (exchange.life === life) exchange.leave();
  }

  #send(request: TargetRequest, sink: TargetSink, life: number): TargetExchange {
    const onOver = () => void this.#open.delete(exchange);
    const exchange = new SimExchange(sink, { clock: this.#hooks.clock, life, onOver });
    if (this.#dead.has(life)) return exchange;
    this.#open.add(exchange);
    exchange.later(1 + this.#hooks.random.next(3), () => this.#arrive(request, exchange));
    return exchange;
  }

  #arrive(request: TargetRequest, exchange: SimExchange): void {
    if (this.spell === "away") exchange.fail("unreachable");
    else if (request.path === "/api/chat") this.#chat(request, exchange);
    else if (this.spell === null) exchange.json(this.#poll(request));
  }

  #poll({ body, path }: TargetRequest): unknown {
    switch (path) {
      case "/api/version":
        return { version: "0.33.0" };
      case "/api/tags":
        return { models: models.map(({ digest, name }) => ({ name, digest })) };
      case "/api/ps":
        return { models: this.#loaded.map(({ digest, name }) => ({ name, digest, size_vram: 1 })) };
      case "/api/show": {
        const { model } = JSON.parse(String(body)) as { model: string };
        const { weights } = models.find(({ name }) => name === model)!;
        return { modelfile: `FROM /models/blobs/sha256-${weights}\n` };
      }
      default:
        return { object: "list", data: [] };
    }
  }

  #chat({ body }: TargetRequest, exchange: SimExchange): void {
    const { clock, note, works } = this.#hooks;
    const asked = JSON.parse(String(body)) as { messages: [{ content: string }] };
    const name = asked.messages[0].content;
    const work = works.get(name)!;
    const turn = this.starts.filter((start) => start.name === name).length;
    const fate = this.spell === "mute" ? "silent" : (work.fates[turn] ?? "whole");
    const { life } = exchange;
    const start: Start = {
      ...{ name, atMs: clock.monotonicMs(), life },
      ...{ text: "", said: "", endedAtMs: null, outcome: "running" },
    };
    const words = this.#wordsOf(name, work, turn);
    this.starts.push(start);
    note(`target: ${name} starts, ${fate}`);
    exchange.onSent = (text) => {
      start.text += text;
    };
    exchange.onClosed = (how) => {
      start.endedAtMs = clock.monotonicMs();
      if (start.outcome === "running") start.outcome = how === "end" ? "whole" : "broken";
      note(`target: ${name} ${how}`);
    };
    this.#answer(exchange, work, { fate, start, words });
  }

  /** What the model says, token by token: JSON where that was asked for, but for some first times. */
  #wordsOf(name: string, { garbled, tokens }: Work, turn: number): readonly string[] {
    const words = Array.from({ length: tokens }, (_, at) => `${name}.${turn}.${at}`);
    const before = this.starts.filter((start) => start.name === name && start.outcome === "whole");
    if (garbled === null || before.length < garbled) return words;
    return words.map((word, at) => (at === 0 ? JSON.stringify({ word }) : " "));
  }

  #answer(
    exchange: SimExchange,
    work: Work,
    { fate, start, words }: { fate: Fate; start: Start; words: readonly string[] },
  ): void {
    if (fate === "lost-at-once") {
      exchange.later(2, () => exchange.fail("lost"));
      return;
    }
    if (fate === "error-500" || fate === "busy-429" || fate === "refused-400") {
      start.outcome = "error";
      const header = fate === "busy-429" ? ["Retry-After", "3"] : [];
      exchange.later(2, () => {
        if (this.#hooks.mayDie("head")) return;
        exchange.head(Number(fate.slice(-3)), header);
        exchange.chunk(`{"error":"${fate}"}`);
        exchange.end();
      });
      return;
    }
    const loadMs = this.#generate(exchange, work, start.name);
    if (fate === "silent") return;
    const says = (text: string, isDone: boolean) =>
      `{"message":{"content":${JSON.stringify(text)}},"done":${isDone}${
        isDone ? `,"load_duration":${loadMs * 1e6},"eval_count":${work.tokens}` : ""
      }}\n`;
    exchange.later(loadMs + 1, () => {
      if (this.#hooks.mayDie("head")) return;
      exchange.head(200);
      const token = (at: number): void => {
        if (at > 0 && fate === "stalls") return;
        if (at > 0 && fate === "lost-midway") exchange.fail("lost");
        else if (at < words.length) {
          const word = words[at] ?? "";
          start.said += word;
          exchange.chunk(says(word, false));
          exchange.later(work.tokenMs, () => token(at + 1));
        } else {
          if (fate !== "unmarked") exchange.chunk(says("", true), this.#hooks.isLossy);
          if (!this.#hooks.mayDie("end")) exchange.end();
        }
      };
      token(0);
    });
  }

  /** Occupies the GPU until the exchange is over and that was noticed; answers the load time. */
  #generate(exchange: SimExchange, { model }: Work, name: string): number {
    const { clock, note, random, residentsMax, slots, violated } = this.#hooks;
    const { digest, loadMs, name: modelName, weights } = models[model]!;
    const beside = [...this.#generations.values()];
    if (beside.length >= slots) violated(`I4 ${name} starts beside ${beside.length} others`);
    const others = beside.filter((other) => other !== weights);
    if (others.length > 0) violated(`I4 ${name} starts while another runner generates`);
    this.#generations.set(exchange, weights);
    const isLoaded = this.#loaded.some((runner) => runner.weights === weights);
    const rest = this.#loaded.filter((runner) => runner.weights !== weights);
    this.#loaded = [...rest, { weights, name: modelName, digest }].slice(-residentsMax);
    const { onClosed } = exchange;
    exchange.onClosed = (how) => {
      onClosed(how);
      const noticeMs = how === "abort" ? (this.#hooks.noticeMs ?? random.next(16)) : 0;
      clock.after(noticeMs, () => {
        this.#generations.delete(exchange);
        this.#busyAtMs = clock.monotonicMs();
      });
    };
    if (!isLoaded) note(`target: loads ${modelName}`);
    return isLoaded ? 0 : loadMs;
  }
}

type Closing = "end" | "abort" | "lost" | "unreachable";

/** One connection. Nothing is said on it after its end. */
class SimExchange implements TargetExchange {
  readonly life: number;
  readonly #sink: TargetSink;
  readonly #deps: { readonly clock: ManualClock; readonly onOver: () => void };
  #hasHead = false;
  #isOver = false;
  onSent: (text: string) => void = () => {};
  onClosed: (how: Closing) => void = () => {};

  constructor(
    sink: TargetSink,
    deps: { readonly clock: ManualClock; readonly life: number; readonly onOver: () => void },
  ) {
    this.#sink = sink;
    this.#deps = deps;
    this.life = deps.life;
  }

  later(ms: number, fn: () => void): void {
    this.#deps.clock.after(ms, () => {
      if (!this.#isOver) fn();
    });
  }

  head(statusCode: number, more: readonly string[] = []): void {
    if (this.#isOver) return;
    this.#hasHead = true;
    const type = statusCode === 200 ? "application/x-ndjson" : "application/json";
    const rawHeaders = ["Content-Type", type, ...more];
    this.#sink.head({ statusCode, statusText: "", rawHeaders, isDelimited: true });
  }

  chunk(text: string, isLossy = false): void {
    if (this.#isOver) return;
    this.onSent(text);
    this.#sink.chunk(Buffer.from(isLossy ? text.slice(0, -1) : text));
  }

  json(document: unknown): void {
    this.head(200);
    this.chunk(JSON.stringify(document));
    this.end();
  }

  end(): void {
    if (this.#close("end")) this.#sink.end();
  }

  fail(kind: "lost" | "unreachable"): void {
    if (this.#close(kind)) this.#tell(kind);
  }

  abort(): void {
    if (this.#close("abort")) this.#tell("aborted");
  }

  /** Whoever listened is dead. */
  leave(): void {
    this.#close("abort");
  }

  pause(): void {}

  resume(): void {}

  #tell(kind: TargetFailure["kind"]): void {
    const message = `the target is ${kind}`;
    this.#sink.failed({ kind, afterHead: this.#hasHead, message, cause: null });
  }

  #close(how: Closing): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#deps.onOver();
    this.onClosed(how);
    return true;
  }
}
