import { stripVTControlCharacters } from "node:util";

/**
 * Control characters (C0, DEL, C1), those that turn the direction of writing, and separators that
 * some terminals break lines at: a model's name or answer must not steer who reads it.
 */
const steering = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** The text on one line, for a terminal: what steers is taken out or shown as U+FFFD. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\s+/g, " ").replaceAll(steering, "\ufffd");
}

/** The same, of text that may have lines and tabs of its own. */
export function printableLines(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll("\r\n", "\n")
    .replaceAll(steering, (letter) => (/[\n\t]/.test(letter) ? letter : "\ufffd"));
}

/**
 * JSON of the same value without any such character. Only strings can hold one that JSON leaves
 * open, and there an escape means the same; so the numbers stay as they were sent.
 */
export function printableJson(json: string): string {
  return json.replaceAll(steering, (letter) => {
    if (/\s/.test(letter) && letter <= " ") return letter;
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
