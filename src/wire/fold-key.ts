/**
 * A JSON key as Go compares it with a struct's field: unquoted and case-folded, with the two
 * letters outside ASCII that fold into it (the long s and the Kelvin sign). `quoted` is the key's
 * bytes with its quotes, known to be valid JSON.
 * Source: Go 1.26 encoding/json/fold.go; checked against test/fixtures/go-json.jsonl.
 */
export function foldKey(quoted: Uint8Array): string {
  const text = Buffer.from(quoted.buffer, quoted.byteOffset, quoted.byteLength).toString("utf8");
  return unquoted(text)
    .replaceAll("\u017f", "s")
    .replaceAll("\u212a", "k")
    .replaceAll(/[A-Z]/g, lower);
}

function unquoted(text: string): string {
  return text.includes("\\") ? String(JSON.parse(text)) : text.slice(1, -1);
}

function lower(letter: string): string {
  return letter.toLowerCase();
}
