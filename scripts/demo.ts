/**
 * Foreman at work, without a GPU and without Ollama: starts a simulated Ollama and a foreman in
 * front of it, plays a small scenario and tells what can be seen. Everything is gone afterwards.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../src/clock.ts";
import { readConfig } from "../src/config.ts";
import { buildForeman } from "../src/foreman.ts";
import { createLog } from "../src/log.ts";
import { openStore } from "../src/open-store.ts";
import { maxConcurrent, swaps } from "../test/support/sim-ollama/journal-queries.ts";
import { startSimOllama } from "../test/support/sim-ollama/sim-ollama.ts";

const started = performance.now();
const folder = mkdtempSync(join(tmpdir(), "foreman-demo-"));
const sim = await startSimOllama({
  numParallel: 4,
  // Room for one chat model and the embedder: two chat models swap.
  vramBytes: 3_200_000_000,
  models: [
    { name: "llama3.2", loadMs: 800, tokenMs: 25, tokens: 24 },
    { name: "qwen3", loadMs: 800, tokenMs: 25, tokens: 24 },
    {
      name: "nomic-embed-text",
      loadMs: 50,
      tokenMs: 40,
      sizeBytes: 300_000_000,
      capabilities: ["embedding"],
    },
  ],
});
const config = readConfig({
  FOREMAN_ADDR: "127.0.0.1:0",
  FOREMAN_OLLAMA_URL: sim.url,
  FOREMAN_DB: join(folder, "foreman.db"),
  FOREMAN_EMBED_MODEL: "nomic-embed-text",
  FOREMAN_POLL_INTERVAL: "1s",
});
const log = createLog("silent");
const onFatal = (error: Error) => {
  throw error;
};
const opened = await openStore(config, { log, clock: systemClock, onFatal });
const foreman = buildForeman(config, { log, ...opened });
await foreman.start();
const url = `http://127.0.0.1:${foreman.port}`;

function say(who: string, what: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(2).padStart(6);
  process.stdout.write(`${seconds} s  ${who.padEnd(9)} ${what}\n`);
}

function title(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

const post = (path: string, body: unknown, signal?: AbortSignal) =>
  fetch(url + path, { method: "POST", body: JSON.stringify(body), ...(signal && { signal }) });

async function chat(who: string, model: string, signal?: AbortSignal): Promise<void> {
  const messages = [{ role: "user", content: `${who} asks ${model}` }];
  const answer = await post("/api/chat", { model, messages }, signal);
  const waited = Number(answer.headers.get("x-foreman-queued-ms"));
  say(who, `${model} begins to answer, after ${(waited / 1_000).toFixed(2)} s in the queue`);
  await answer.text();
  say(who, `${model} has answered`);
}

title(`foreman on ${url}, in front of a simulated Ollama with one GPU`);
const tags = (await (await fetch(`${url}/api/tags`)).json()) as { models: { name: string }[] };
say("anyone", `/api/tags: ${tags.models.map(({ name }) => name).join(", ")}`);

title("six chats for two models arrive mixed; embeddings do not wait for them");
const chats = ["ada", "bob", "cem", "dia", "eli", "fay"].map((who, i) =>
  chat(who, i % 2 === 0 ? "llama3.2" : "qwen3"),
);
for (let i = 0; i < 3; i++) {
  await delay(300);
  const sentAt = performance.now();
  await (await post("/api/embed", { model: "nomic-embed-text", input: "a text" })).text();
  say("indexer", `embedding back in ${(performance.now() - sentAt).toFixed(0)} ms`);
}
await Promise.all(chats);
say("foreman", `${swaps(sim.journal.events)} model swap; in order of arrival there are 5`);
say("foreman", `at most ${maxConcurrent(sim.journal.events, "generate")} chat at a time`);

title("a client leaves in the middle: the next one does not wait for the rest");
const leaver = new AbortController();
const left = chat("gus", "qwen3", leaver.signal).catch(() => say("gus", "left"));
await delay(200);
const next = chat("hal", "qwen3");
await delay(100);
leaver.abort();
await Promise.all([left, next]);

title("Ollama is restarted: work waits for it, and nobody sees an error");
await sim.down();
say("ollama", "gone");
const patient = [chat("ivy", "llama3.2"), chat("jon", "llama3.2")];
await delay(1_500);
const health = (await (await fetch(`${url}/healthz`)).json()) as {
  degraded: boolean;
  queue: { waiting: number };
};
say("foreman", `degraded: ${health.degraded}, waiting: ${health.queue.waiting}, tags still served`);
await sim.up();
say("ollama", "back");
await Promise.all(patient);

title("done");
await foreman.stop();
await sim.stop();
rmSync(folder, { recursive: true, force: true });
