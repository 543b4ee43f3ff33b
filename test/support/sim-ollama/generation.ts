import { setImmediate as turn } from "node:timers/promises";
import type { AnswerPiece, AnswerPlan } from "./answer-plan.ts";
import type { Exchange } from "./exchange.ts";
import type { Fault } from "./fault.ts";
import type { AnswerEnd, Presenter } from "./presenter.ts";
import { gather } from "./presenter.ts";
import type { Reply } from "./reply.ts";
import type { Runner } from "./runner.ts";
import type { SimCore } from "./sim-core.ts";

type Outcome = "complete" | "cancelled" | "failed";

const contextCanceled = "error reading llama-server response: context canceled";

/** Tokens written between two turns of the event loop when no pace is set. */
const burst = 16;

/** One generation: takes the runner's slot, brings forth the tokens, writes them as they come. */
export class Generation {
  readonly #sim: SimCore;
  readonly #exchange: Exchange;
  readonly #reply: Reply;
  /** Null: a model that runs elsewhere, without a slot. */
  readonly #runner: Runner | null;
  readonly #presenter: Presenter;
  readonly #plan: AnswerPlan;
  readonly #isStreaming: boolean;
  readonly #startedMs: number;
  readonly #loadedMs: number;
  #sentCount = 0;

  constructor(of: {
    sim: SimCore;
    exchange: Exchange;
    runner: Runner | null;
    presenter: Presenter;
    plan: AnswerPlan;
    isStreaming: boolean;
    startedMs: number;
  }) {
    this.#sim = of.sim;
    this.#exchange = of.exchange;
    this.#reply = of.exchange.reply;
    this.#runner = of.runner;
    this.#presenter = of.presenter;
    this.#plan = of.plan;
    this.#isStreaming = of.isStreaming;
    this.#startedMs = of.startedMs;
    this.#loadedMs = performance.now();
  }

  async run(): Promise<void> {
    await closesSeen();
    const slots = this.#runner?.slots;
    if (slots !== undefined && !slots.tryTake()) {
      this.#note("slot-wait");
      if (!(await slots.take(this.#exchange))) return;
    }
    this.#note("generate-start");
    const outcome = await this.#generate();
    slots?.give();
    this.#note("generate-end", { outcome, tokens: this.#sentCount });
    if (outcome === "complete") this.#finish();
    // A client that only closed its own side still hears why nothing more comes (measured), unless
    // a fault has ended the answer just after it did.
    else if (outcome === "cancelled" && !this.#reply.isBroken && !this.#reply.isEnded) {
      this.#break(contextCanceled, 500);
    }
  }

  async #generate(): Promise<Outcome> {
    const begunMs = performance.now();
    const tokenMs = this.#sim.pace.scaledMs(this.#plan.tokenMs);
    for (const [index, piece] of this.#plan.pieces.entries()) {
      await this.#untilDue(begunMs + (index + 1) * tokenMs, index);
      const struck = await this.#strike(index);
      if (this.#exchange.isGone) return "cancelled";
      if (struck !== null) return struck;
      const blocked = this.#send(piece, index);
      // The slot is held meanwhile, as Ollama's producer holds it: a slow reader costs the others.
      if (blocked !== null) await blocked;
    }
    // A fault may be set for after the last token.
    const struck = await this.#strike(this.#plan.pieces.length);
    return struck ?? (this.#exchange.isGone ? "cancelled" : "complete");
  }

  /** Timers are coarse, so a fast pace is kept on the average: wait only when a whole ms is due. */
  async #untilDue(dueMs: number, index: number): Promise<void> {
    const restMs = dueMs - performance.now();
    if (restMs >= 1) await this.#sim.pace.rest(restMs, this.#exchange);
    else if (index % burst === 0) await this.#sim.pace.rest(0, this.#exchange);
  }

  #send(piece: AnswerPiece, index: number): Promise<void> | null {
    if (this.#sim.journal.keepsTokens) {
      const text = piece.kind === "tool-call" ? piece.call.name : piece.text;
      this.#note("token", { index, text });
    }
    this.#sentCount += 1;
    return this.#isStreaming ? this.#write(this.#presenter.piece(piece)) : null;
  }

  #write(frames: readonly string[]): Promise<void> | null {
    if (this.#reply.statusCode === 0) this.#reply.stream(200, this.#presenter.streamHeaders);
    let blocked: Promise<void> | null = null;
    for (const frame of frames) blocked = this.#reply.write(frame) ?? blocked;
    return blocked;
  }

  #finish(): void {
    const end = this.#end();
    if (this.#isStreaming) {
      void this.#write(this.#presenter.finish(end));
      this.#reply.end();
    } else this.#presenter.whole(this.#reply, { ...gather(this.#plan.pieces), end });
  }

  #end(): AnswerEnd {
    const nowMs = performance.now();
    const isEmpty = this.#sentCount === 0;
    return {
      doneReason: this.#plan.doneReason,
      promptTokens: this.#plan.promptTokens,
      completionTokens: this.#sentCount,
      totalNs: nanoseconds(nowMs - this.#startedMs),
      loadNs: nanoseconds(this.#loadedMs - this.#startedMs),
      promptNs: nanoseconds(0.1),
      evalNs: isEmpty ? 0 : nanoseconds(nowMs - this.#loadedMs),
    };
  }

  /** Null: nothing struck, or only a stall that was released. */
  async #strike(sent: number): Promise<Outcome | null> {
    const strike = this.#exchange.strike;
    if (strike === null || !isDue(strike.fault, sent)) return null;
    const { fault } = strike;
    switch (fault.kind) {
      case "stall-after-tokens":
        await Promise.race([strike.released, this.#exchange.gone()]);
        return null;
      case "reset-after-tokens":
      case "close-after-tokens":
        await this.#flush();
        this.#reply.cut(fault.kind === "reset-after-tokens" ? "reset" : "close");
        return "failed";
      case "truncate-after-tokens":
        if (this.#reply.statusCode === 0) void this.#write([]);
        this.#reply.end();
        return "failed";
      case "error-after-tokens":
        return this.#break(fault.message, fault.status ?? 500);
      default:
        return null;
    }
  }

  #break(message: string, status: number): "failed" {
    // Ollama unloads everything when a runner ran out of memory.
    if (/out of memory/i.test(message)) this.#sim.scheduler.expireAll();
    if (this.#reply.statusCode === 0) {
      this.#reply.isFlushing = this.#isStreaming;
      this.#presenter.error(this.#reply, status, message);
    } else {
      void this.#write(this.#presenter.errorFrames(message));
      this.#reply.end();
    }
    return "failed";
  }

  /** An RST would discard what the peer has not read yet. */
  #flush(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 5));
  }

  #note(
    kind: "slot-wait" | "generate-start" | "token" | "generate-end",
    more: { index?: number; text?: string; outcome?: Outcome; tokens?: number } = {},
  ): void {
    this.#sim.journal.record({
      kind,
      requestId: this.#exchange.id,
      route: this.#exchange.route,
      model: this.#exchange.model ?? "",
      runnerKey: this.#runner?.key ?? "elsewhere",
      ...(kind === "generate-start" && { slots: this.#runner?.slots.size ?? 0 }),
      ...more,
    });
  }
}

function isDue(fault: Fault, sent: number): boolean {
  return "tokens" in fault && fault.tokens === sent;
}

function nanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1e6));
}

/**
 * A process that got no time for a while finds a close and the request behind it in one turn of its
 * event loop, which ends with the closes: these come first here, as they came first by the wire.
 */
async function closesSeen(): Promise<void> {
  await turn();
  await turn();
}
