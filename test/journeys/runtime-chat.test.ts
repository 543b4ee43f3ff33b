/** `POST /api/runtime/llm/chat` on the whole daemon: the seed's request, shapes, repairs, errors. */
import { describe, expect, test } from "vitest";
import { chatAnswer } from "../../src/wire/runtime-answers.ts";
import { runtimeLimits } from "../../src/wire/runtime-limits.ts";
import { asked } from "../support/asked.ts";
import { RawClient } from "../support/raw-client.ts";
import { type SimOpenai, startSimOpenai } from "../support/sim-openai.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const path = "/api/runtime/llm/chat";
const model = "qwen3.6:35b-a3b";
const messages = [
  { role: "user", content: "Build a CRM pipeline view for high-intent NRI buyers." },
];

/** The example of the contract, letter for letter. */
const seed = `{
"provider": "ollama",
"model": "qwen3.6:35b-a3b",
"system_prompt": "You are Oracle Planner.",
"messages": [
{ "role": "user", "content": "Build a CRM pipeline view for high-intent NRI buyers." }
],
"temperature": 0.2,
"response_format": "json"
}`;

const post = async (url: string, body: unknown) => {
  const answer = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    json: (await answer.json()) as Record<string, unknown>,
  };
};

const onOllama = async (settings: Readonly<Record<string, string>> = {}) => {
  const sim = await startSim({ models: [{ name: model, tokenMs: 5 }] });
  return { sim, foreman: await startForeman(sim.url, settings) };
};

/** Hosted, with these answers one after the other; the last again and again. */
const onHosted = async (contents: readonly string[], settings = {}) => {
  const [sim, hosted] = [await startSim(), await startSimOpenai()];
  answerWith(hosted, contents);
  const foreman = await startForeman(sim.url, { NEMOCLAW_API_URL: hosted.url, ...settings });
  return { hosted, foreman };
};

function answerWith(hosted: SimOpenai, contents: readonly string[]): void {
  hosted.script = ({ path: at }) => {
    if (at !== "/v1/chat/completions") return null;
    const content = contents[hosted.chats.length - 1] ?? contents.at(-1);
    const choices = [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }];
    const usage = { prompt_tokens: 10, completion_tokens: 2 };
    const body = JSON.stringify({ model: "nemotron", choices, usage });
    return { kind: "answer", status: 200, body };
  };
}

const plan = {
  type: "object",
  required: ["blocks"],
  properties: { blocks: { type: "array", items: { type: "string" } } },
};
const hostedChat = { provider: "nemoclaw", model: "nemotron", messages };

describe("a runtime chat", () => {
  test("counts in the day's failures if it failed, but not for a fault of the request", async () => {
    const { foreman } = await onHosted(["no JSON"], { FOREMAN_REPAIR_ATTEMPTS: "0" });
    const wanting = { ...hostedChat, response_format: "json" };
    const asked = [wanting, hostedChat, { messages, provider: "deterministic_fallback" }];

    const told = [];
    for (const body of asked) told.push((await post(foreman.url, body)).status);
    const status = await (await fetch(`${foreman.url}/foreman/status`)).json();

    expect(told).toEqual([502, 200, 422]);
    expect(status).toMatchObject({
      today: { chats: { answered: 1, failed: 1 }, jobs: { done: 0 } },
    });
  });

  test("answers the seed's request, with JSON beside the text", async () => {
    const { foreman } = await onOllama();
    const { json, status } = await post(foreman.url, seed);

    expect(status).toBe(200);
    expect(chatAnswer.parse(json)).toEqual(json);
    expect(json).toMatchObject({
      provider: "ollama",
      model,
      finish_reason: "stop",
      skipped: [],
      repairs: 0,
      job_id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      queued_ms: expect.any(Number),
    });
    expect(json.json).toEqual(JSON.parse(String(json.content)));
  });

  test("hands a schema to the target in each of its spellings", async () => {
    const { foreman } = await onOllama();
    const spellings = [
      plan,
      { type: "json_schema", json_schema: { name: "plan", schema: plan } },
      { ...plan, $schema: "http://json-schema.org/draft-07/schema#" },
    ];

    for (const response_format of spellings) {
      const { json } = await post(foreman.url, { model, messages, response_format });
      expect(json.json).toEqual({ blocks: expect.any(Array) });
    }
  });

  test("waits its turn as an interactive job, and says how long it waited", async () => {
    const { foreman } = await onOllama();
    const running = new RawClient(foreman.port).post("/api/chat", {
      model,
      messages: [{ role: "user", content: "[[tokens=40]]" }],
    });
    await running.received('"done":false');
    const { json } = await post(foreman.url, { model, messages });

    expect(json.queued_ms).toBeGreaterThan(50);
    const job = await (await fetch(`${foreman.url}/jobs/${json.job_id}`)).json();
    expect(job).toMatchObject({ state: "done", priority: "interactive", route: "/api/chat" });
    running.leave();
  });

  test("is cut at the target when its client goes", async () => {
    const { foreman, sim } = await onOllama();
    const client = new RawClient(foreman.port).post(path, {
      model,
      messages: [{ role: "user", content: "[[tokens=100000]]" }],
    });
    await until("it runs", () => asked(sim).some(({ path: at }) => at === "/api/chat"));
    client.vanish();

    await until("its slot is free", async () => {
      const { running } = (await (await fetch(`${foreman.url}/foreman/status`)).json()) as {
        running: unknown[];
      };
      return running.length === 0;
    });
  });

  test("has a wrong answer mended, and counts every try", async () => {
    const { foreman, hosted } = await onHosted([
      "Sure! Here you are.",
      '{"blocks":"pipeline"}',
      '```json\n{"blocks":["pipeline"]}\n```',
    ]);
    const { json, status } = await post(foreman.url, { ...hostedChat, response_format: plan });

    expect(status).toBe(200);
    expect(json).toMatchObject({
      provider: "nemoclaw",
      content: '```json\n{"blocks":["pipeline"]}\n```',
      json: { blocks: ["pipeline"] },
      repairs: 2,
      usage: { prompt_tokens: 30, completion_tokens: 6, total_tokens: 36 },
      job_id: null,
      queued_ms: null,
    });
    const last = hosted.chats.at(-1)?.body?.messages as { content: string }[];
    expect(last.at(-2)?.content).toBe('{"blocks":"pipeline"}');
    expect(last.at(-1)?.content).toContain("/blocks must be array");
  });

  test("gives up after FOREMAN_REPAIR_ATTEMPTS, with the validator's words", async () => {
    const { foreman, hosted } = await onHosted(["{}"], { FOREMAN_REPAIR_ATTEMPTS: "1" });
    const { headers, json, status } = await post(foreman.url, {
      ...hostedChat,
      response_format: plan,
    });

    expect([status, json]).toEqual([
      502,
      {
        detail:
          "the answer does not fit the schema: " +
          "the top must have required property 'blocks', after 1 repair",
        code: "invalid_output",
      },
    ]);
    expect(headers.get("retry-after")).toBeNull();
    expect(hosted.chats).toHaveLength(2);
  });

  test("tells an answer that was cut off from one that is wrong", async () => {
    const { foreman } = await onOllama({ FOREMAN_REPAIR_ATTEMPTS: "0" });
    const { json } = await post(foreman.url, {
      ...{ model, messages, response_format: "json", max_tokens: 1 },
    });

    expect(json).toMatchObject({
      detail: expect.stringContaining("cut off at its length limit"),
      code: "invalid_output",
    });
  });

  test("says who was skipped and why, and answers with the request's own fallback", async () => {
    const { foreman, sim } = await onOllama({ FOREMAN_POLL_INTERVAL: "100ms" });
    expect((await post(foreman.url, { model, messages })).status).toBe(200);
    await sim.down();
    await until("Ollama is away", async () => {
      const { degraded } = (await (await fetch(`${foreman.url}/healthz`)).json()) as {
        degraded: boolean;
      };
      return degraded;
    });
    const fallback = { json: { blocks: [] } };
    const { json } = await post(foreman.url, { messages, response_format: plan, fallback });

    expect(json).toMatchObject({
      provider: "deterministic_fallback",
      json: { blocks: [] },
      skipped: [
        { provider: "ollama", code: "provider_unavailable" },
        { provider: "nemoclaw", code: "provider_misconfigured" },
      ],
    });
  });

  test.each([
    ["a model that is not there", { model: "none", messages }, 404, "model_not_found"],
    ["a provider that is not set up", hostedChat, 502, "provider_misconfigured"],
    [
      "a fallback that was not brought",
      { provider: "deterministic_fallback", messages },
      422,
      "fallback_missing",
    ],
  ])("tells %s in detail and code", async (_, body, status, code) => {
    const { foreman } = await onOllama();
    const answer = await post(foreman.url, body);

    expect([answer.status, answer.json]).toEqual([status, { detail: expect.any(String), code }]);
  });
});

describe("a runtime chat that is malformed", () => {
  test.each([
    ["no body", "", [["body"], "missing"]],
    ["no JSON", '{"messages":', [["body"], "json_invalid"]],
    ["not UTF-8", '{"a":"\\ud800"}x', [["body", 14], "json_invalid"]],
    ["a list", "[]", [["body"], "model_attributes_type"]],
    ["no messages", "{}", [["body", "messages"], "missing"]],
    [
      "a role of its own",
      '{"messages":[{"role":"tool","content":"4"}]}',
      [["body", "messages", 0, "role"], "literal_error"],
    ],
    [
      "a schema that is none",
      '{"messages":[{"role":"user","content":""}],"response_format":{"type":"objekt"}}',
      [["body", "response_format"], "value_error"],
    ],
    [
      "a fallback that would not pass",
      '{"messages":[{"role":"user","content":""}],"response_format":"json","fallback":{"content":"no"}}',
      [["body", "fallback"], "value_error"],
    ],
    ["a nest of brackets", `{"a":${"[".repeat(200_000)}`, [["body"], "value_error"]],
    ["a crowd", `{"a":[${"0,".repeat(60_000)}0]}`, [["body"], "value_error"]],
  ])("is refused with FastAPI's 422: %s", async (_, body, [loc, type]) => {
    const { foreman, sim } = await onOllama();
    const { json, status } = await post(foreman.url, body);

    expect([status, json]).toEqual([422, { detail: [{ loc, msg: expect.any(String), type }] }]);
    expect(asked(sim).filter(({ path: at }) => at === "/api/chat")).toEqual([]);
  });

  test("is refused with 413 past its bytes, and taken below", async () => {
    const { foreman } = await onOllama();
    const { requestBytes } = runtimeLimits;
    const around = JSON.stringify({ model, messages: [{ role: "user", content: "" }] });
    const ofBytes = (bytes: number) =>
      around.replace('""', () => `"${"a".repeat(bytes - around.length)}"`);

    expect((await post(foreman.url, ofBytes(requestBytes))).status).toBe(200);
    expect(await post(foreman.url, ofBytes(requestBytes + 1))).toMatchObject({
      status: 413,
      json: {
        detail: `the request's body is larger than one chat may be (${requestBytes} bytes)`,
        code: "body_too_large",
      },
    });
  });

  test("is told a smaller FOREMAN_BODY_MAX by its name", async () => {
    const { foreman } = await onOllama({ FOREMAN_BODY_MAX: "1k" });
    const { json, status } = await post(foreman.url, { model, messages, x: "a".repeat(1_024) });

    expect([status, json.detail]).toEqual([413, expect.stringContaining("FOREMAN_BODY_MAX")]);
  });

  test("keeps nobody else waiting: a schema made to take for ever", async () => {
    const { foreman } = await onOllama();
    const $defs = Object.fromEntries(
      Array.from({ length: 41 }, (_, i) => {
        const next = { $ref: `#/$defs/a${i + 1}` };
        return [`a${i}`, i === 40 ? {} : { allOf: [next, next] }];
      }),
    );
    const response_format = { $ref: "#/$defs/a0", $defs };
    const endless = post(foreman.url, { messages, response_format });
    let isOver = false;
    void endless.finally(() => {
      isOver = true;
    });
    const chats = await Promise.all([1, 2, 3].map(() => post(foreman.url, { model, messages })));

    expect(chats.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(isOver).toBe(false);
    expect(await endless).toMatchObject({
      status: 422,
      json: { detail: [{ msg: expect.stringContaining("it takes longer than 5 s") }] },
    });
  });
});

describe("the rest of /api/runtime/", () => {
  test("is foreman's own: what is not there is not asked of Ollama", async () => {
    const { foreman, sim } = await onOllama();
    const before = asked(sim).length;
    const missing = await fetch(`${foreman.url}/api/runtime/llm/nowhere`);
    const wrong = await fetch(`${foreman.url}${path}`, { method: "DELETE" });

    expect([missing.status, await missing.json()]).toEqual([
      404,
      { detail: expect.stringContaining("/api/runtime/llm/nowhere"), code: "not_found" },
    ]);
    expect([wrong.status, wrong.headers.get("allow"), await wrong.json()]).toEqual([
      405,
      "POST",
      { detail: expect.stringContaining("DELETE"), code: "method_not_allowed" },
    ]);
    expect(
      asked(sim)
        .slice(before)
        .filter(({ path: at }) => at?.includes("runtime")),
    ).toEqual([]);
  });
});
