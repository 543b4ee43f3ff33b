// Four bytes at a time: 2.5 times as fast as byte by byte on the base64 of an image.
const wordThreshold = 32;

/**
 * Index of the first byte at or after `from` that does not simply continue a JSON string: a quote,
 * a backslash or a control character; `chunk.length` if there is none.
 */
export function stringRunEnd(chunk: Uint8Array, from: number): number {
  let at = from;
  const near = Math.min(chunk.length, from + wordThreshold);
  while (at < near && isPlain(chunk[at] ?? 0)) at += 1;
  if (at < near || at === chunk.length) return at;
  at = alignedRunEnd(chunk, at);
  while (at < chunk.length && isPlain(chunk[at] ?? 0)) at += 1;
  return at;
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte !== 0x22 && byte !== 0x5c;
}

/** Stops at the word that holds the end of the run, or at one that cannot be read as a word. */
function alignedRunEnd(chunk: Uint8Array, from: number): number {
  const lead = -(chunk.byteOffset + from) & 3;
  for (let at = from; at < from + lead; at += 1) {
    if (at >= chunk.length || !isPlain(chunk[at] ?? 0)) return at;
  }
  const start = from + lead;
  const count = (chunk.length - start) >> 2;
  if (count <= 0) return start;
  const words = new Int32Array(chunk.buffer, chunk.byteOffset + start, count);
  let index = 0;
  while (index < count && isPlainWord(words[index] ?? 0)) index += 1;
  return start + index * 4;
}

/**
 * The well-known test for a zero byte in a word, for a quote, a backslash and a byte below 0x20.
 */
function isPlainWord(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    ((quote - 0x01010101) & ~quote) |
    ((backslash - 0x01010101) & ~backslash) |
    ((word - 0x20202020) & ~word);
  return (found & 0x80808080) === 0;
}
