import { printable } from "./printable.ts";

/** Facts a line each, names in a column; those that are null or empty are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | number | null])[],
): string {
  const known = pairs.filter(([, value]) => value !== null && value !== "");
  const widest = Math.max(0, ...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => `${name.padEnd(widest)}  ${printable(`${value}`)}`)
    .join("\n");
}
