/** The value that `share` (0 to 1) of the values do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.max(0, rank)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** "1.23 (1.10–1.40)": the median of the rounds, and their extremes where there are several. */
export function withSpread(values: readonly number[], digits: number): string {
  const middle = plain(median(values), digits);
  if (values.length < 2) return middle;
  return `${middle} (${plain(Math.min(...values), digits)}–${plain(Math.max(...values), digits)})`;
}

/** A number for a table: grouped by thousands, with so many decimals. */
export function plain(value: number, digits: number): string {
  if (Number.isNaN(value)) return "–";
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
