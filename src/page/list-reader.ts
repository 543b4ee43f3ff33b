import type { Api } from "./api.ts";
import { every } from "./page-clock.ts";

type Page = { readonly next: number | null };

/** A list walked page by page; what is shown is read again, so that it stays true. */
export class ListReader<Answer extends Page> {
  readonly #api: Api;
  readonly #onChange: () => void;
  readonly #stop: () => void;
  #path: string;
  /** The key of each page up to this one; the first has none. */
  #keys: (number | null)[] = [null];
  page: Answer | null = null;
  problem: string | null = null;

  constructor(api: Api, path: string, options: { onChange: () => void; refreshMs: number }) {
    this.#api = api;
    this.#path = path;
    this.#onChange = options.onChange;
    this.#stop = every(options.refreshMs, () => void this.read());
    void this.read();
  }

  get pageNumber(): number {
    return this.#keys.length;
  }

  close(): void {
    this.#stop();
  }

  async read(): Promise<void> {
    const asked = this.#url();
    try {
      const page = await this.#api.ask<Answer>("GET", asked);
      // Another page was turned to meanwhile.
      if (asked !== this.#url()) return;
      this.page = page;
      this.problem = null;
    } catch (cause) {
      this.problem = cause instanceof Error ? cause.message : String(cause);
    }
    this.#onChange();
  }

  async forward(): Promise<void> {
    const next = this.page?.next ?? null;
    if (next === null) return;
    this.#keys = [...this.#keys, next];
    await this.read();
  }

  async back(): Promise<void> {
    if (this.#keys.length > 1) this.#keys = this.#keys.slice(0, -1);
    await this.read();
  }

  async look(path: string): Promise<void> {
    this.#path = path;
    this.#keys = [null];
    await this.read();
  }

  #url(): string {
    const key = this.#keys.at(-1) ?? null;
    if (key === null) return this.#path;
    return `${this.#path}${this.#path.includes("?") ? "&" : "?"}after=${key}`;
  }
}
