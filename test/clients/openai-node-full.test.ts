import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { occupySlot } from "../support/occupied-slot.ts";
import { RawClient } from "../support/raw-client.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { until } from "../support/until.ts";

const model = "llama3.2";
const messages = [{ role: "user" as const, content: "hi" }];

describe("openai-node, when the queue is full,", () => {
  test("tries again after the time that it is told", async () => {
    const { foreman, free, sim } = await occupySlot({ FOREMAN_QUEUE_MAX: "1" });
    const waiting = new RawClient(foreman.port).post("/api/chat", { model, messages });
    await fullQueue(foreman.url);
    const answers: { status: number; retryAfter: string | null }[] = [];
    const client = clientFor(foreman.url, {
      maxRetries: 2,
      // What it is told is noted, and then shortened, so that the test need not wait so long.
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        answers.push({ status: answer.status, retryAfter: answer.headers.get("retry-after") });
        if (answer.status === 503) free();
        const headers = new Headers(answer.headers);
        if (headers.has("retry-after")) headers.set("retry-after-ms", "200");
        return new Response(answer.body, { status: answer.status, headers });
      },
    });

    const { choices } = await client.chat.completions.create({ model, messages });

    expect(choices[0]?.finish_reason).toBe("stop");
    expect(answers).toEqual([
      { status: 503, retryAfter: "10" },
      { status: 200, retryAfter: null },
    ]);
    expect(requestsTo(sim.journal.events, "/v1/chat/completions").length).toBe(1);
    await waiting.received('"done":true');
    waiting.leave();
  });

  test("is told so in Ollama's words", async () => {
    const { foreman } = await occupySlot({ FOREMAN_QUEUE_MAX: "1" });
    const waiting = new RawClient(foreman.port).post("/api/chat", { model, messages });
    await fullQueue(foreman.url);

    const asked = clientFor(foreman.url).chat.completions.create({ model, messages });

    await expect(asked).rejects.toMatchObject({
      status: 503,
      message: "503 server busy, please try again.  maximum pending requests exceeded",
      type: "api_error",
    });
    waiting.leave();
  });
});

function clientFor(url: string, more: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, ...more });
}

async function fullQueue(url: string): Promise<void> {
  await until("a job waits", async () => {
    const answer = await fetch(`${url}/healthz`);
    return (await answer.text()).includes('"waiting":1');
  });
}
