import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInstalled } from "./child.ts";

type Load = {
  readonly origin: string;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** How long the target shall take over each, in ms. */
  readonly delayMs: number;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Throughput = {
  readonly perSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Broken connections, timeouts and answers that are no 2xx or 3xx. */
  readonly errors: number;
};

export const hasWrk = isInstalled("wrk");

/** As many requests as the connections carry, one at a time on each, by wrk (one thread). */
export async function wrk(load: Load): Promise<Throughput> {
  const folder = mkdtempSync(join(tmpdir(), "foreman-wrk-"));
  try {
    const script = join(folder, "load.lua");
    writeFileSync(script, luaOf(load));
    const { connections, origin, path, seconds } = load;
    const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", "-s", script];
    const child = spawn("wrk", [...flags, `${origin}${path}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (text) => {
      output += String(text);
    });
    await once(child, "close");
    return throughputOf(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Latencies in wrk are microseconds. */
function luaOf({ body, delayMs, headers = {} }: Load): string {
  const own = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `${own.join("\n")}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Bench-Delay-Ms"] = "${delayMs}"
wrk.body = [==[${body}]==]
done = function(summary, latency, requests)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors))
end
`;
}

function throughputOf(output: string): Throughput {
  const [, line] = /^RESULT (.+)$/m.exec(output) ?? [];
  if (line === undefined) throw new Error(`wrk reports nothing: ${output}`);
  const [requests = 0, durationUs = 1, p50Us = 0, p99Us = 0, errors = 0] = line
    .split(" ")
    .map(Number);
  return {
    requests,
    perSecond: requests / (durationUs / 1e6),
    p50Ms: p50Us / 1e3,
    p99Ms: p99Us / 1e3,
    errors,
  };
}
