// Go escapes these for the sake of HTML and JavaScript, beyond what JSON asks for.
const beyondJson = /[<>&\u2028\u2029]/g;

/**
 * A JSON string exactly as Go's `encoding/json` writes it: with `<`, `>` and `&` escaped. A
 * surrogate without its partner, which no Go string can hold, becomes U+FFFD.
 * Checked against test/fixtures/error-shapes.jsonl.
 */
export function goJsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(beyondJson, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
