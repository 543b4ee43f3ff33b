/**
 * Case O2: clients that send their heads, their bodies, or read their answers a few bytes at a time.
 *
 *   node scripts/slow-clients.ts --url http://127.0.0.1:8080 --connections 1000 --seconds 30
 *
 * Needs slowhttptest (a package of that name). Asks /healthz five times a second meanwhile and prints
 * a line for each kind; exits 1 if an answer took 100 ms or more, or did not come.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:8080" },
    connections: { type: "string", default: "1000" },
    seconds: { type: "string", default: "30" },
  },
});

const kinds: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["heads", ["-H", "-t", "GET", "-u", `${values.url}/api/tags`]],
  ["bodies", ["-B", "-s", "8192", "-t", "POST", "-u", `${values.url}/api/chat`]],
  ["reads", ["-X", "-w", "1", "-y", "8", "-n", "5", "-z", "1", "-u", `${values.url}/api/tags`]],
];

for (const [name, args] of kinds) {
  const longestMs = await under(args);
  process.stdout.write(
    `slow ${name}, ${values.connections} connections: longest /healthz ${longestMs.toFixed(0)} ms\n`,
  );
  if (!(longestMs < 100)) process.exitCode = 1;
}

/** The longest that /healthz took meanwhile, in milliseconds; infinite where it failed. */
async function under(args: readonly string[]): Promise<number> {
  const bounds = ["-c", values.connections, "-r", "300", "-i", "5", "-l", values.seconds];
  const child = spawn("slowhttptest", [...bounds, ...args], { stdio: "ignore" });
  let isOver = false;
  const ended = once(child, "close").finally(() => {
    isOver = true;
  });
  let longestMs = 0;
  while (!isOver) {
    const sentMs = performance.now();
    const isOk = await fetch(`${values.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    longestMs = Math.max(longestMs, isOk ? performance.now() - sentMs : Number.POSITIVE_INFINITY);
    await Promise.race([delay(200), ended]);
  }
  await ended;
  return longestMs;
}
