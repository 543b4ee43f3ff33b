import { RE2JS } from "re2js";

/** What ajv wants of a regular expression; it tells them apart by their text. */
type Pattern = { test(text: string): boolean; toString(): string };

/**
 * Compiles a `pattern` of a JSON Schema. RE2 needs time in proportion to the text, whatever the
 * pattern. What RE2 does not know (lookarounds, back references: pydantic writes one for each
 * Decimal) is left to JavaScript's own expressions, which may need for ever: so this runs in a
 * thread with a deadline alone.
 *
 * @throws SyntaxError when neither understands it
 */
export function compilePattern(pattern: string, flags: string): Pattern {
  const compiled = linear(pattern) ?? new RegExp(pattern, flags);
  return { test: (text) => compiled.test(text), toString: () => pattern };
}

function linear(pattern: string): { test(text: string): boolean } | null {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch {
    return null;
  }
}
