/** The sim as a process of its own, steered over its control surface. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Ollama } from "ollama";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { simFor } from "./ask.ts";
import type { JournalEvent } from "./journal.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

async function startProcess(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return /ready on (\S+)/.exec(String(line))?.[1] ?? "";
}

const control = async (url: string, verb: string, body: object = {}): Promise<unknown> => {
  const init = { method: "POST", body: JSON.stringify(body) };
  return (await fetch(`${url}/_sim/${verb}`, init)).json();
};

describe("the sim's process", () => {
  test("says when it is ready, and does what it is told", async () => {
    const url = await startProcess("--models", "llama3.2:latest", "--load-ms", "0");
    const ollama = new Ollama({ host: url });
    const messages = [{ role: "user", content: "hello" }];
    const chat = () => ollama.chat({ model: "llama3.2", messages });

    await control(url, "fail", { times: 1, fault: { kind: "answer", status: 500, body: "{}" } });
    await expect(chat()).rejects.toThrow();
    expect((await chat()).message.content).not.toBe("");
    expect(await control(url, "loaded")).toEqual({ loaded: ["llama3.2:latest"] });

    await control(url, "restart");
    await vi.waitFor(async () => expect(await control(url, "loaded")).toEqual({ loaded: [] }));
    const journal = await (await fetch(`${url}/_sim/journal`)).text();
    const events = journal.trimEnd().split("\n").map(parseEvent);
    expect(events.filter(({ kind }) => kind === "generate-end").length).toBe(1);
  });
});

describe("the official client", () => {
  test("finds nothing to complain about", async () => {
    const sim = await simFor({ catalogue: [{ name: "far" }] });
    const ollama = new Ollama({ host: sim.url });

    const { models } = await ollama.list();
    const shown = await ollama.show({ model: "qwen3:8b" });
    const parts: string[] = [];
    const messages = [{ role: "user", content: "hello" }];
    const stream = await ollama.chat({ model: "gemma3:4b", messages, stream: true });
    for await (const part of stream) parts.push(part.message.content);
    const { response } = await ollama.generate({ model: "gemma3:4b", prompt: "hi" });
    const { embeddings } = await ollama.embed({ model: "nomic-embed-text", input: ["a", "b"] });
    const pulled = await ollama.pull({ model: "far" });
    await ollama.copy({ source: "far", destination: "near" });
    await ollama.delete({ model: "far" });
    const running = await ollama.ps();

    expect(models.length).toBe(4);
    expect(shown.capabilities).toContain("thinking");
    expect([parts.length, response?.split(" ").length]).toEqual([13, 12]);
    expect(embeddings.map((vector) => vector.length)).toEqual([768, 768]);
    expect(pulled.status).toBe("success");
    expect(running.models.map(({ name }) => name)).toEqual([
      "nomic-embed-text:latest",
      "gemma3:4b",
    ]);
    const missing = ollama.chat({ model: "far", messages });
    await expect(missing).rejects.toThrow("model 'far' not found");
  });
});

function parseEvent(line: string): JournalEvent {
  return JSON.parse(line) as JournalEvent;
}
