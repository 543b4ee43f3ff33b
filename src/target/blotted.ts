/** A shorter token is no secret ("ollama", "none"), but may well be a word of an answer. */
const lettersMin = 16;

/** What is to be blotted out for that token; null: nothing. */
export function secretOf(token: string | null): Buffer | null {
  return token === null || token.length < lettersMin ? null : Buffer.from(token);
}

/** The text of a header, each letter of the secret in it blotted out. */
export function blottedText(text: string, secret: Buffer): string {
  return text.replaceAll(secret.toString("latin1"), "*".repeat(secret.length));
}

/** Blots a secret out of an answer that comes in pieces, wherever they are cut. */
export class Blotter {
  readonly #secret: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /**
   * What may be told of the answer so far: as many bytes as came, so that announced lengths hold,
   * but for an end that may be the secret's beginning, which comes with the next piece.
   */
  take(piece: Buffer): Buffer {
    const bytes = blotted(Buffer.concat([this.#held, piece]), this.#secret);
    const end = bytes.length - lengthOfBeginning(bytes, this.#secret);
    this.#held = bytes.subarray(end);
    return bytes.subarray(0, end);
  }

  /** What was held back, when the answer has come to its end. */
  rest(): Buffer {
    return this.#held;
  }
}

function blotted(bytes: Buffer, secret: Buffer): Buffer {
  let at = bytes.indexOf(secret);
  if (at < 0) return bytes;
  const copy = Buffer.from(bytes);
  for (; at >= 0; at = bytes.indexOf(secret, at + secret.length)) {
    copy.fill("*", at, at + secret.length);
  }
  return copy;
}

/** How many of the last bytes are a beginning of the secret. */
function lengthOfBeginning(bytes: Buffer, secret: Buffer): number {
  let length = Math.min(secret.length - 1, bytes.length);
  while (length > 0 && !bytes.subarray(-length).equals(secret.subarray(0, length))) length -= 1;
  return length;
}
