import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { gathered } from "../support/gathered.ts";
import { type OccupiedSlot, occupySlot } from "../support/occupied-slot.ts";
import { until } from "../support/until.ts";

const model = "llama3.2";
const messages = [{ role: "user" as const, content: "hi" }];
const hasPython = spawnSync("python3", ["--version"]).status === 0;

test("ollama-js reads a stream that began with filler, and its late error", async () => {
  const slot = await filling();
  const ollama = new Ollama({ host: slot.foreman.url });

  const words: string[] = [];
  const stream = await ollama.chat({ model, messages, stream: true });
  slot.free();
  for await (const { message } of stream) words.push(message.content);
  expect(words.length).toBe(6);

  const broken = await filling("/api/chat");
  const late = await new Ollama({ host: broken.foreman.url }).chat({
    model,
    messages,
    stream: true,
  });
  broken.free();
  await expect(gathered(late)).rejects.toThrow("oh no");
});

test("openai-node reads a stream that began with filler, and its late error", async () => {
  const slot = await filling();

  const stream = await openai(slot).chat.completions.create({ model, messages, stream: true });
  slot.free();
  const chunks = await gathered(stream);
  expect(chunks.length).toBe(6);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");

  const broken = await filling("/v1/chat/completions");
  const late = await openai(broken).chat.completions.create({ model, messages, stream: true });
  broken.free();
  await expect(gathered(late)).rejects.toThrow("oh no");
});

test("openai-node reads a response that began with filler", async () => {
  const slot = await filling();

  const stream = await openai(slot).responses.create({ model, input: "hi", stream: true });
  slot.free();
  const events = await gathered(stream);

  expect(events.at(-1)?.type).toBe("response.completed");
});

// As ollama-python does: json.loads of each line, of which a blank one would be the end.
test.skipIf(!hasPython)("Python's json.loads takes each line after filler", async () => {
  const slot = await filling();
  const program = [
    "import json, sys, urllib.request",
    "body = json.dumps({'model': 'llama3.2', 'messages': [{'role': 'user', 'content': 'hi'}]})",
    "answer = urllib.request.urlopen(sys.argv[1] + '/api/chat', body.encode())",
    "print(sum(1 for line in answer if 'message' in json.loads(line.rstrip(b'\\n'))))",
  ];

  const run = promisify(execFile)("python3", ["-c", program.join("\n"), slot.foreman.url]);
  await until("it waits", () => queued(slot) === 2);
  await new Promise((resolve) => setTimeout(resolve, 150));
  slot.free();

  expect((await run).stdout.trim()).toBe("6");
});

/** A foreman that fills at once; what comes to `failing` then ends in a late error. */
async function filling(failing?: string): Promise<OccupiedSlot> {
  const slot = await occupySlot({ FOREMAN_KEEPALIVE_AFTER: "50ms" });
  const fault = { kind: "error-after-tokens", tokens: 0, message: "oh no" } as const;
  if (failing !== undefined) slot.sim.fail({ route: failing, fault });
  return slot;
}

function openai({ foreman }: OccupiedSlot): OpenAI {
  return new OpenAI({ baseURL: `${foreman.url}/v1`, apiKey: "unused", maxRetries: 0 });
}

function queued({ foreman }: OccupiedSlot): number {
  return foreman.logged.filter(({ msg }) => msg === "job queued").length;
}
