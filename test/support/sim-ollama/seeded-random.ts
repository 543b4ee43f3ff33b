/** Repeatable numbers: the same text gives the same sequence, in any process. */
export class SeededRandom {
  #state: number;

  constructor(text: string) {
    this.#state = fnv1a(text);
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  next(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  word(): string {
    return words[this.next(words.length)] ?? "";
  }
}

const words = (
  "the a of to in and is that it for with as on by this light river stone model queue answer " +
  "time " +
  "small large first last open closed green blue quiet bright slow fast north south morning " +
  "evening water paper letter number garden engine signal"
).split(" ");

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
