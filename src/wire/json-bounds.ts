import { runtimeLimits } from "./runtime-limits.ts";
import { stringRunEnd } from "./string-run.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/**
 * Watches how deep and how crowded a JSON text is while it arrives, so that what would keep the
 * parser long is refused before it is parsed. It does not judge whether the text is JSON.
 */
export class JsonBounds {
  readonly #depthMax: number;
  #depth = 0;
  #valueCount = 0;
  #isInString = false;
  #isEscaped = false;
  #problem: string | null = null;

  constructor(depthMax: number = runtimeLimits.jsonDepth) {
    this.#depthMax = depthMax;
  }

  /** What is too much, with the limit's number; null while nothing is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Takes the next bytes of the text. They are not kept. */
  write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#problem === null) {
      if (this.#isInString && !this.#isEscaped) at = stringRunEnd(chunk, at);
      const byte = chunk[at];
      if (byte === undefined) return;
      if (this.#isInString) this.#followString(byte);
      else this.#followStructure(byte);
      at += 1;
    }
  }

  #followString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  /** Brackets and braces differ in one bit from each other: 0x5b and 0x7b, 0x5d and 0x7d. */
  #followStructure(byte: number): void {
    const folded = byte | 0x20;
    if (byte === quote) this.#isInString = true;
    else if (byte === comma) this.#valueCount += 1;
    else if (folded === 0x7b) {
      this.#valueCount += 1;
      this.#depth += 1;
    } else if (folded === 0x7d) this.#depth -= 1;
    const { jsonValues } = runtimeLimits;
    if (this.#depth > this.#depthMax) {
      this.#problem = `it is nested deeper than ${this.#depthMax} levels`;
    }
    if (this.#valueCount > jsonValues) {
      this.#problem = `it has more than ${jsonValues} members and elements`;
    }
  }
}
