import type { Status } from "../wire/status.ts";
import { type Api, ApiError } from "./api.ts";
import { nowMs, rest } from "./page-clock.ts";

const backoffMs = { first: 1_000, most: 30_000 };

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Foreman is asked again at that time. */
  | { readonly kind: "lost"; readonly words: string; readonly retryAtMs: number }
  /** A token is wanted, or another one. */
  | { readonly kind: "locked" };

/** The status as it changes, over broken connections, with growing pauses between attempts. */
export class Live {
  readonly #api: Api;
  readonly #onChange: () => void;
  #stop = new AbortController();
  #wake = new AbortController();
  status: Status | null = null;
  /** When the status was heard, for what counts on from it. */
  heardAtMs = 0;
  connection: Connection = { kind: "connecting" };

  constructor(api: Api, onChange: () => void) {
    this.#api = api;
    this.#onChange = onChange;
  }

  /** How much older the status is than when it was heard, in ms. */
  get ageMs(): number {
    return nowMs() - this.heardAtMs;
  }

  start(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#set({ kind: "connecting" });
    void this.#run(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Tries at once instead of at the end of the pause. */
  retryNow(): void {
    this.#wake.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let pauseMs = backoffMs.first;
    while (!signal.aborted) {
      try {
        await this.#api.follow("events", ({ text }) => this.#hear(text), signal);
        pauseMs = backoffMs.first;
        // A stream that foreman itself ended: it goes down, or was asked to hold fewer.
        this.#lose("the stream ended", pauseMs);
      } catch (cause) {
        if (signal.aborted) return;
        if (cause instanceof ApiError && [401, 403].includes(cause.status)) {
          this.#set({ kind: "locked" });
          return;
        }
        if (this.connection.kind === "live") pauseMs = backoffMs.first;
        this.#lose(cause instanceof Error ? cause.message : String(cause), pauseMs);
        pauseMs = Math.min(pauseMs * 2, backoffMs.most);
      }
      await this.#pause(signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { connection } = this;
    if (connection.kind !== "lost") return;
    this.#wake = new AbortController();
    const either = AbortSignal.any([signal, this.#wake.signal]);
    await rest(connection.retryAtMs - nowMs(), either);
  }

  #hear(text: string): void {
    this.status = JSON.parse(text);
    this.heardAtMs = nowMs();
    this.#set({ kind: "live" });
  }

  #lose(words: string, pauseMs: number): void {
    this.#set({ kind: "lost", words, retryAtMs: nowMs() + pauseMs });
  }

  #set(connection: Connection): void {
    this.connection = connection;
    this.#onChange();
  }
}
