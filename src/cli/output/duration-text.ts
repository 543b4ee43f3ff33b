const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Such as `3m 20s`, `2h 5m`, `850 ms`: the two largest units; null stays null. */
export function durationText(ms: number): string;
export function durationText(ms: number | null): string | null;
export function durationText(ms: number | null): string | null {
  if (ms === null) return null;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const at = units.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = units[at] ?? units[3];
  const [smaller, smallerMs] = units[at + 1] ?? ["", 1];
  const whole = `${Math.floor(ms / unitMs)}${unit}`;
  const rest = Math.floor((ms % unitMs) / smallerMs);
  return smaller === "" || rest === 0 ? whole : `${whole} ${rest}${smaller}`;
}
