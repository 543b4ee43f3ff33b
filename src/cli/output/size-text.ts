const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** Such as `4.7 GB`, in powers of 1000 as Ollama's own lists have them. */
export function sizeText(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1_000 ** power;
  return `${amount >= 10 || power === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`;
}
