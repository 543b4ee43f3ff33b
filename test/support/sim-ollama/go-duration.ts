/** A keep_alive in milliseconds (`Infinity` for "until told otherwise"), or Go's complaint. */
export type GoDuration =
  | { readonly kind: "ms"; readonly ms: number }
  | { readonly kind: "error"; readonly message: string };

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Reads a `keep_alive` as Ollama's api.Duration does: a number is seconds, a string a Go duration,
 * and anything negative means forever (api/types.go of Ollama 0.33; checked against a real one).
 */
export function readKeepAlive(value: unknown): GoDuration {
  // Beyond 292 years Go's integer overflows to a negative one: the model goes at once (measured).
  if (typeof value === "number" && value > goSecondsMax) return { kind: "ms", ms: -1 };
  if (typeof value === "number") return forever(value * 1_000);
  if (typeof value === "string") return parseGoDuration(value);
  return { kind: "error", message: `Unsupported type: '${goTypeName(value)}'` };
}

const goSecondsMax = 9_223_372_036;
const goMsMax = 9_223_372_036_854.775;

function forever(ms: number): GoDuration {
  return { kind: "ms", ms: ms < 0 ? Number.POSITIVE_INFINITY : ms };
}

function parseGoDuration(text: string): GoDuration {
  const quoted = quoteBytes(text);
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  let rest = text.slice(sign.length);
  if (rest === "0") return { kind: "ms", ms: 0 };
  if (rest === "") return { kind: "error", message: `time: invalid duration ${quoted}` };
  let totalMs = 0;
  while (rest !== "") {
    const amount = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (amount === undefined) return invalid(quoted);
    rest = rest.slice(amount.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return { kind: "error", message: `time: missing unit in duration ${quoted}` };
    const factor = unitMs[unit];
    if (factor === undefined) {
      const name = quoteBytes(unit);
      return { kind: "error", message: `time: unknown unit ${name} in duration ${quoted}` };
    }
    totalMs += Number(amount) * factor;
    rest = rest.slice(unit.length);
  }
  if (totalMs > goMsMax) return invalid(quoted);
  return forever(sign === "-" ? -totalMs : totalMs);
}

function invalid(quoted: string): GoDuration {
  return { kind: "error", message: `time: invalid duration ${quoted}` };
}

/** The quoting of package time: bytes, not characters. */
function quoteBytes(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    const isPlain = byte >= 0x20 && byte < 0x7f;
    return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${bytes.join("")}"`;
}

function goTypeName(value: unknown): string {
  if (typeof value === "boolean") return "bool";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}
