/** A shorter token is no secret ("ollama", "none"), but may well be a word of an answer. */
const lettersMin = 16;

/** What is to be blotted out for that token; null: nothing. */
export function secretOf(token: string | null): Buffer | null {
  return token === null || token.length < lettersMin ? null : Buffer.from(token);
}

/** The bytes, each letter of the secret in them blotted out: announced lengths still hold. */
export function blotted(bytes: Buffer, secret: Buffer): Buffer {
  let at = bytes.indexOf(secret);
  if (at < 0) return bytes;
  const copy = Buffer.from(bytes);
  for (; at >= 0; at = bytes.indexOf(secret, at + secret.length)) {
    copy.fill("*", at, at + secret.length);
  }
  return copy;
}
