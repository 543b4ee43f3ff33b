const short: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

// Go counts letters, marks, numbers, punctuation and symbols as printable, and of the spaces
// U+0020.
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/**
 * `text` as Go's `%q` prints it, with the double quotes. Letters newer than Go's Unicode tables
 * (15) are printed where Go escapes them.
 * Source: Go 1.26 strconv/quote.go; checked against test/fixtures/go-quotes.jsonl.
 */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const character of text) quoted += quoteCharacter(character);
  return `${quoted}"`;
}

function quoteCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const escaped = short.get(code);
  if (escaped !== undefined) return escaped;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  if (printable.test(character)) return character;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
