import { createHash } from "node:crypto";

/** What happened, in order: two runs of one seed must have equal ones. */
export class Trace {
  readonly lines: string[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  note(what: string): void {
    this.lines.push(`${String(Math.round(this.#nowMs() * 1_000) / 1_000).padStart(10)}  ${what}`);
  }

  get hash(): string {
    return createHash("sha256").update(this.lines.join("\n")).digest("hex");
  }
}
