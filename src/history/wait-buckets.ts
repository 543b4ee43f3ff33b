/** Buckets in a tenfold: a quantile is told within 6 %, and a day of waits fits into a line. */
const perTenfold = 20;

/** How many waits fell into each bucket, by the bucket's number; empty ones are absent. */
export type WaitBuckets = { readonly [bucket: string]: number };

/** With one wait of `ms` more. */
export function withWait(buckets: WaitBuckets, ms: number): WaitBuckets {
  const bucket = String(Math.round(perTenfold * Math.log10(Math.max(0, ms) + 1)));
  return { ...buckets, [bucket]: (buckets[bucket] ?? 0) + 1 };
}

export function sumOfWaits(all: readonly WaitBuckets[]): WaitBuckets {
  const sum: { [bucket: string]: number } = {};
  for (const buckets of all) {
    for (const [bucket, count] of Object.entries(buckets)) {
      sum[bucket] = (sum[bucket] ?? 0) + count;
    }
  }
  return sum;
}

/** The wait in ms that `share` (0 to 1) of them did not exceed; null of none. */
export function waitQuantile(buckets: WaitBuckets, share: number): number | null {
  const sorted = Object.entries(buckets)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([one], [other]) => one - other);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  let left = share * total;
  for (const [bucket, count] of sorted) {
    left -= count;
    if (left <= 0) return Math.round(10 ** (bucket / perTenfold) - 1);
  }
  return null;
}
