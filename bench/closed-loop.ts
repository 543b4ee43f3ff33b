import { ask, connectTo } from "./ask.ts";
import { median, percentile } from "./statistics.ts";
import { hasWrk, type Throughput, wrk } from "./wrk.ts";

type Load = Parameters<typeof wrk>[0];

/** What the load came from, for the report. */
export const loadedBy = hasWrk
  ? "wrk"
  : "this process, by undici, because wrk is not installed (apt-get install nginx-light " +
    "haproxy wrk)";

/** Requests back to back on each connection: by wrk, or without it from here, which costs more. */
export function closedLoop(load: Load): Promise<Throughput> {
  return hasWrk ? wrk(load) : fromHere(load);
}

async function fromHere({
  body,
  connections,
  delayMs,
  headers = {},
  origin,
  path,
  seconds,
}: Load): Promise<Throughput> {
  const latenciesMs: number[] = [];
  const orders = { "delay-ms": String(delayMs) };
  let errors = 0;
  const beganAtMs = performance.now();
  const deadline = beganAtMs + seconds * 1e3;
  const loop = async () => {
    const client = connectTo(origin);
    while (performance.now() < deadline) {
      const answer = await ask(client, { path, body, orders, headers }).catch(() => null);
      if (answer?.statusCode === 200) latenciesMs.push(answer.totalMs);
      else errors += 1;
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return {
    requests: latenciesMs.length,
    perSecond: latenciesMs.length / ((performance.now() - beganAtMs) / 1e3),
    p50Ms: median(latenciesMs),
    p99Ms: percentile(latenciesMs, 0.99),
    errors,
  };
}
