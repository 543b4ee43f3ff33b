const unitNs: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const minimum = 1n << 63n;
const part = /^(?<whole>[0-9]*)(?<point>\.(?<decimals>[0-9]*))?(?<unit>[^.0-9]*)/;

export type GoDuration =
  | { readonly kind: "duration"; readonly ns: bigint }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * A duration in nanoseconds as Go's `time.ParseDuration` reads it, or Go's error text.
 * Source: Go 1.26 time/format.go; checked against test/fixtures/go-durations.jsonl.
 */
export function parseGoDuration(text: string): GoDuration {
  const isNegative = text.startsWith("-");
  let rest = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return { kind: "duration", ns: 0n };
  if (rest === "") return invalid("invalid duration", text);
  let total = 0n;
  while (rest !== "") {
    const match = part.exec(rest);
    const { whole = "", decimals = "", unit = "" } = match?.groups ?? {};
    const isTooLarge = BigInt(whole || "0") > minimum;
    if ((whole === "" && decimals === "") || isTooLarge) return invalid("invalid duration", text);
    if (unit === "") return invalid("missing unit in duration", text);
    const ns = unitNs.get(unit);
    if (ns === undefined) return invalid(`unknown unit ${quote(unit)} in duration`, text);
    total += BigInt(whole || "0") * ns + decimalNs(decimals, ns);
    if (total > minimum) return invalid("invalid duration", text);
    rest = rest.slice(match?.[0].length);
  }
  if (!isNegative && total === minimum) return invalid("invalid duration", text);
  return { kind: "duration", ns: isNegative ? -total : total };
}

/** Go counts decimals in a float64, and drops those that an int64 cannot hold. */
function decimalNs(decimals: string, ns: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of decimals) {
    if (value > (minimum - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > minimum) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(ns) / scale)));
}

function invalid(problem: string, text: string): GoDuration {
  return { kind: "invalid", message: `time: ${problem} ${quote(text)}` };
}

/** Go's time package quotes in its own way: whatever is not printable ASCII is shown as bytes. */
function quote(text: string): string {
  let quoted = "";
  for (const byte of Buffer.from(text)) {
    if (byte >= 0x80 || byte < 0x20) quoted += `\\x${byte.toString(16).padStart(2, "0")}`;
    else if (byte === 0x22 || byte === 0x5c) quoted += `\\${String.fromCharCode(byte)}`;
    else quoted += String.fromCharCode(byte);
  }
  return `"${quoted}"`;
}
