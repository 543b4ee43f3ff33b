const whole = new Intl.NumberFormat("en");
const nothingYet = "–";

export function count(value: number | null): string {
  return value === null ? nothingYet : whole.format(value);
}

/** Two units at most, so that the width moves little: `0.4 s`, `12 s`, `3m 04s`, `2h 05m`, `4d`. */
export function duration(ms: number | null): string {
  if (ms === null) return nothingYet;
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds) / 60;
  if (minutes < 60) return `${Math.floor(minutes)}m ${two(Math.round(seconds) % 60)}s`;
  const hours = minutes / 60;
  if (hours < 48) return `${Math.floor(hours)}h ${two(Math.floor(minutes) % 60)}m`;
  return `${Math.floor(hours / 24)}d ${Math.floor(hours) % 24}h`;
}

export function bytes(value: number): string {
  if (value < 1e3) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(0)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

export function rate(perSecond: number | null): string {
  return perSecond === null ? nothingYet : `${perSecond.toFixed(1)} tok/s`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The end of an id, which is what tells two of one hour apart. */
export function shortId(id: string): string {
  return `…${id.slice(-6)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
