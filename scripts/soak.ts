/**
 * Puts one daemon under mixed work for long, and looks whether anything grows:
 *
 *   npm run soak -- --minutes 30
 *
 * Chats that stream, embeddings, clients that leave midway, jobs and lists, before a simulated Ollama
 * that fails now and then. After the first fifth, which warms up, memory, descriptors and the
 * database's log are taken once a second; the last third may exceed the third before by 5 % and a
 * little. Prints one line; exits 1 if something grew or nothing was done.
 */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DaemonLife } from "../test/support/daemon-life.ts";
import { freePort } from "../test/support/free-port.ts";
import { startSimOllama } from "../test/support/sim-ollama/sim-ollama.ts";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes: "${values.minutes}" is no number above 0`);

type Sample = { readonly rssMb: number; readonly descriptors: number; readonly walMb: number };
/** How much more than 5 % each may grow: a page of the heap, a pooled socket, a checkpoint. */
const slack: Sample = { rssMb: 8, descriptors: 8, walMb: 5 };

const folder = await mkdtemp(join(tmpdir(), "foreman-soak-"));
const sim = await startSimOllama({ journal: { tokens: false, eventsMax: 1_000 } });
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const daemon = new DaemonLife({
  FOREMAN_ADDR: `127.0.0.1:${port}`,
  FOREMAN_OLLAMA_URL: sim.url,
  FOREMAN_DB: join(folder, "foreman.db"),
  FOREMAN_JOB_TTL: "10s",
  FOREMAN_LOG_LEVEL: "warn",
  // V8 lets a heap grow while it may; only against a bound does a leak tell itself from idleness.
  // Its young space alone came and went up to 134 MB, and kept memory rising for half an hour.
  NODE_OPTIONS: "--max-old-space-size=80 --max-semi-space-size=8",
});
await until200(`${url}/livez`);
const endMs = performance.now() + minutes * 60_000;
let [done, broken, left] = [0, 0, 0];
const messages = [{ role: "user", content: "hi [[tokens=20]]" }];
const clients = [chats(), chats(), leavers(), embeddings(), jobs()];
const samples: Sample[] = [];
while (performance.now() < endMs) {
  const fault = { kind: "reset-after-tokens", tokens: 3 } as const;
  const failing = sim.fail({ route: "/api/chat", times: 1, fault });
  await delay(1_000);
  failing.remove();
  samples.push(await sample());
}
await Promise.all(clients);
daemon.kill("SIGTERM");
const exit = await daemon.exited();
await sim.stop();
await rm(folder, { recursive: true, force: true });
report();

async function chats(): Promise<void> {
  while (performance.now() < endMs) {
    const model = done % 50 < 25 ? "llama3.2" : "qwen3:8b";
    await asked("/api/chat", { model, messages });
  }
}

async function leavers(): Promise<void> {
  while (performance.now() < endMs) {
    const body = JSON.stringify({ model: "llama3.2", messages });
    const signal = AbortSignal.timeout(5 + (left % 40));
    await fetch(`${url}/api/chat`, { method: "POST", body, signal })
      .then((answer) => answer.text())
      .catch(() => {});
    left += 1;
    await delay(20);
  }
}

async function embeddings(): Promise<void> {
  while (performance.now() < endMs) {
    await asked("/api/embed", { model: "nomic-embed-text", input: ["a", "b"] });
    await delay(5);
  }
}

async function jobs(): Promise<void> {
  while (performance.now() < endMs) {
    await asked("/jobs", { model: "llama3.2", messages });
    await fetch(`${url}/jobs?limit=20`).then((answer) => answer.text());
    await delay(100);
  }
}

async function asked(path: string, body: object): Promise<void> {
  const request = { method: "POST", body: JSON.stringify(body) };
  const isDone = await fetch(`${url}${path}`, request)
    .then(async (answer) => (await answer.text()) !== "" && answer.ok)
    .catch(() => false);
  if (isDone) done += 1;
  else broken += 1;
}

async function until200(place: string): Promise<void> {
  while (
    !(await fetch(place).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (daemon.isOver) throw new Error(`foreman did not start: ${daemon.output}`);
    await delay(50);
  }
}

async function sample(): Promise<Sample> {
  if (daemon.isOver) throw new Error(`foreman ended: ${daemon.output.slice(-2_000)}`);
  const status = await readFile(`/proc/${daemon.child.pid}/status`, "utf8");
  return {
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
    descriptors: (await readdir(`/proc/${daemon.child.pid}/fd`)).length,
    walMb: (await stat(join(folder, "foreman.db-wal"))).size / 1_048_576,
  };
}

function report(): void {
  const third = Math.floor((samples.length * 0.8) / 2);
  const [before, after] = [samples.slice(-2 * third, -third), samples.slice(-third)];
  const fields = ["rssMb", "descriptors", "walMb"] as const;
  const middle = (of: readonly Sample[], field: keyof Sample) =>
    of.map((each) => each[field]).toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ??
    Number.NaN;
  const grown = fields.filter(
    (field) => !(middle(after, field) <= middle(before, field) * 1.05 + slack[field]),
  );
  const shown = fields
    .map(
      (field) =>
        `${field} ${middle(before, field).toFixed(1)} → ${middle(after, field).toFixed(1)}`,
    )
    .join(", ");
  process.stdout.write(
    `${minutes} min: ${done} done, ${broken} broken by the target, ${left} left; ${shown}; ` +
      `exit ${exit}; grew: ${grown.join(", ") || "nothing"}\n`,
  );
  process.exitCode = grown.length === 0 && done > 0 && exit === 0 ? 0 : 1;
}
