import { scanGoJson } from "./go-syntax.ts";

/** The first JSON value of a body, or Go's words for why there is none. */
export type GoDecoded =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly message: string };

/**
 * Reads the first JSON value of a request body as Ollama's handlers do: trailing bytes and the
 * Content-Type are not looked at. The error `EOF` stands for an empty body.
 */
export function decodeGoJson(body: Buffer): GoDecoded {
  const text = body.toString("utf8");
  // Node's parser has no depth limit and is 20x faster than the scanner: it takes the common case.
  if (!mayBeTooDeep(text)) {
    try {
      return { kind: "value", value: JSON.parse(text) };
    } catch {
      // Go decides below whether the text is wrong or merely followed by more.
    }
  }
  const scan = scanGoJson(body);
  if (scan.kind === "error") return scan;
  return { kind: "value", value: JSON.parse(body.subarray(0, scan.end).toString("utf8")) };
}

function mayBeTooDeep(text: string): boolean {
  if (text.length < 10_000) return false;
  let openers = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) openers += 1;
  }
  return openers >= 10_000;
}
