/**
 * Real answers of a running daemon against the schemas that describe them: nothing is missing in an
 * answer, and nothing in it is undescribed.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { hashOf } from "../../src/access/new-token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { operations } from "../../src/http/openapi/openapi-document.ts";
import { codedError, plainError, validationError } from "../../src/wire/error-answers.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const model = "qwen3.6:35b-a3b";
const messages = [{ role: "user", content: "Show overdue follow-ups." }];
const slow = [{ role: "user", content: "[[tokens=100000]]" }];
const llm = "/api/runtime/llm";

type Body = Record<string, unknown>;

type Ids = { readonly job: string; readonly waiting: string; readonly batch: string };

/** Two results that wait for approval, without the GPU. */
const batchBody = {
  job_type: "reviews",
  provider: "deterministic_fallback",
  requires_approval: true,
  items: ["yes", "no"].map((id) => ({ request_id: id, messages, fallback: { content: id } })),
};

/** Each operation with a request to it, in an order in which they can be made. */
const requests = ({ batch, job, waiting }: Ids): readonly [string, string, Body?][] => [
  ["GET /livez", "/livez"],
  ["GET /readyz", "/readyz"],
  ["GET /healthz", "/healthz"],
  ["GET /health", "/health"],
  ["GET /metrics", "/metrics"],
  ["GET /foreman/status", "/foreman/status"],
  ["GET /openapi.json", "/openapi.json"],
  ["GET /jobs", "/jobs"],
  ["GET /jobs/{id}", `/jobs/${job}`],
  ["GET /jobs/{id}", `/jobs/${waiting}`],
  ["GET /jobs/{id}/request", `/jobs/${waiting}/request`],
  ["GET /jobs/{id}/request", `/jobs/${job}/request`],
  ["GET /jobs/{id}/artifacts/{name}", `/jobs/${job}/artifacts/completion`],
  ["GET /jobs/{id}/events", `/jobs/${job}/events`],
  ["POST /jobs/{id}/cancel", `/jobs/${waiting}/cancel`],
  ["POST /jobs", "/jobs", { model, messages }],
  ["POST /jobs/cancel", "/jobs/cancel", { model }],
  ["POST /foreman/pause", "/foreman/pause", { class: "batch", model, note: "a demo" }],
  ["POST /foreman/resume", "/foreman/resume"],
  ["POST /foreman/drain", "/foreman/drain", { on: false }],
  ["PUT /foreman/slots", "/foreman/slots", { slots: 1 }],
  ["POST /foreman/models/load", "/foreman/models/load", { model, keep_alive: "5m" }],
  ["POST /foreman/models/unload", "/foreman/models/unload", { model }],
  ["GET /foreman/changes", "/foreman/changes"],
  ["GET /foreman/events", "/foreman/events"],
  ["GET /foreman/history", "/foreman/history?span=day"],
  ["GET /foreman/me", "/foreman/me"],
  ["POST /foreman/backup", "/foreman/backup"],
  [
    `PATCH ${llm}/providers/{id}`,
    `${llm}/providers/ollama`,
    { models: { [model]: true }, note: "as before" },
  ],
  [
    `PUT ${llm}/providers/order`,
    `${llm}/providers/order`,
    { order: ["ollama", "nemoclaw", "deterministic_fallback"] },
  ],
  [`GET ${llm}/providers`, `${llm}/providers`],
  [`GET ${llm}/providers/order`, `${llm}/providers/order`],
  [`GET ${llm}/providers/changes`, `${llm}/providers/changes`],
  [`POST ${llm}/batch`, `${llm}/batch`, batchBody],
  [`GET ${llm}/jobs`, `${llm}/jobs`],
  [`GET ${llm}/jobs/{job_id}`, `${llm}/jobs/${batch}`],
  [`POST ${llm}/jobs/{job_id}/cancel`, `${llm}/jobs/${batch}/cancel`],
  [`POST ${llm}/jobs/{job_id}/retry`, `${llm}/jobs/${batch}/retry`],
  [`GET ${llm}/jobs/{job_id}/events`, `${llm}/jobs/${batch}/events`],
  [`GET ${llm}/jobs/{job_id}/results`, `${llm}/jobs/${batch}/results`],
  [`GET ${llm}/jobs/{job_id}/results/{request_id}`, `${llm}/jobs/${batch}/results/yes`],
  [
    `POST ${llm}/jobs/{job_id}/results/{request_id}/approve`,
    `${llm}/jobs/${batch}/results/yes/approve`,
  ],
  [
    `POST ${llm}/jobs/{job_id}/results/{request_id}/reject`,
    `${llm}/jobs/${batch}/results/no/reject`,
    { by: "a reviewer", note: "not true" },
  ],
  [
    `POST ${llm}/chat`,
    `${llm}/chat`,
    {
      provider: "deterministic_fallback",
      messages,
      fallback: { json: [] },
      response_format: "json",
    },
  ],
];

/** The JSON of an answer, or of each of its events. */
function documentsOf(text: string, mediaType: string): readonly unknown[] {
  const isStream = mediaType === "text/event-stream";
  const documents = isStream
    ? [...text.matchAll(/^data: ?(.*)$/gm)].map((found) => found[1])
    : [text];
  expect(documents).not.toEqual([]);
  return documents.map((document) => JSON.parse(document ?? ""));
}

/** What has come by the end of the answer, or of an endless stream's first document. */
async function textOf(answer: Response): Promise<string> {
  const isEndless = answer.url.endsWith("/foreman/events");
  let text = "";
  for await (const piece of answer.body ?? []) {
    text += Buffer.from(piece).toString("utf8");
    if (isEndless && /^data: .*\n\n/m.test(text)) break;
  }
  return text;
}

const operationOf = (name: string) => {
  const found = operations.find(({ method, path }) => `${method.toUpperCase()} ${path}` === name);
  if (found === undefined) throw new Error(`not described: ${name}`);
  return found;
};

test("every route answers as /openapi.json describes it", async () => {
  const sim = await startSim({ models: [{ name: model, tokenMs: 5 }] });
  const foreman = await startForeman(sim.url);
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${foreman.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const submit = async (content: readonly object[]) => {
    const answer = await call("POST", "/jobs", { model, messages: content });
    return ((await answer.json()) as { job_id: string }).job_id;
  };
  const job = await submit(messages);
  await until("a job is done", async () => {
    const { state } = (await (await call("GET", `/jobs/${job}`)).json()) as { state: string };
    return state === "done";
  });
  const running = new RawClient(foreman.port).post("/api/chat", { model, messages: slow });
  await running.received('"done":false');
  const waiting = await submit(messages);
  const taken = await call("POST", `${llm}/batch`, batchBody);
  const { job_id: batch } = (await taken.json()) as { job_id: string };
  await until("a batch is done", async () => {
    const view = await (await call("GET", `${llm}/jobs/${batch}`)).json();
    return (view as { status: string }).status === "completed";
  });
  const asked = requests({ batch, job, waiting });

  for (const [name, path, body] of asked) {
    const answer = await call(name.split(" ")[0] ?? "", path, body);
    const described = operationOf(name).answers[answer.status];
    expect(described, `${name}: ${answer.status}`).toBeDefined();
    const type = described?.mediaType ?? "application/json";
    expect(answer.headers.get("content-type")).toMatch(type === "*/*" ? /./ : `${type}`);
    if (described?.schema === undefined) {
      await answer.arrayBuffer();
      continue;
    }
    for (const json of documentsOf(await textOf(answer), type)) {
      expect(described.schema.parse(json), name).toEqual(json);
    }
  }
  const names = new Set(asked.map(([name]) => name));
  expect([...names].toSorted()).toEqual(
    operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted(),
  );
  running.leave();
});

test("errors are as they are described", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url, { FOREMAN_TOKEN: "t0ken" });
  const headers = { Authorization: "Bearer t0ken" };
  const jsonOf = async (path: string, init: RequestInit = { headers }) =>
    await (await fetch(`${foreman.url}${path}`, init)).json();

  const post = { method: "POST", headers, body: "{}" };
  for (const json of [await jsonOf("/jobs/none"), await jsonOf("/jobs", {})]) {
    expect(plainError.parse(json)).toEqual(json);
  }
  for (const path of [`${llm}/nowhere`, `${llm}/providers`]) {
    const json = await jsonOf(path, {});
    expect(codedError.parse(json)).toEqual(json);
  }
  const malformed = await jsonOf(`${llm}/chat`, post);
  expect(validationError.parse(malformed)).toEqual(malformed);
});

test("whatever is told as an admin's is refused to a user, and each way to show a token works", async () => {
  const sim = await startSim();
  const file = join(mkdtempSync(join(tmpdir(), "foreman-openapi-")), "tokens.json");
  addToken(file, { name: "ann", hash: hashOf("s3cret"), scope: "user" });
  const foreman = await startForeman(sim.url, { FOREMAN_TOKENS_FILE: file });
  const ask = async (path: string, init: RequestInit) => await fetch(`${foreman.url}${path}`, init);
  const basic = `Basic ${Buffer.from("anybody:s3cret").toString("base64")}`;
  const ways = {
    bearer: { Authorization: "Bearer s3cret" },
    basic: { Authorization: basic },
    api_key: { "x-api-key": "s3cret" },
  };

  const answer = await ask("/openapi.json", { headers: ways.bearer });
  type Described = { responses: Record<string, unknown> };
  const told = (await answer.json()) as {
    security: object[];
    paths: Record<string, Record<string, Described>>;
  };
  expect(told.security.flatMap(Object.keys)).toEqual(Object.keys(ways));
  for (const headers of Object.values(ways)) {
    expect((await ask("/foreman/status", { headers })).status).toBe(200);
  }
  const refused = Object.entries(told.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      "403" in responses ? { path, method: method.toUpperCase() } : [],
    ),
  );
  expect(refused).toContainEqual({ path: "/foreman/backup", method: "POST" });
  expect(refused).not.toContainEqual({ path: "/jobs", method: "POST" });
  for (const { method, path } of refused) {
    const { status } = await ask(path.replace(/\{\w+\}/g, "x"), { method, headers: ways.bearer });
    expect([method, path, status]).toEqual([method, path, 403]);
  }
});

test("the daemon's own document is valid, and of its version", async () => {
  const sim = await startSim();
  const foreman = await startForeman(sim.url);
  const document = (await (await fetch(`${foreman.url}/openapi.json`)).json()) as {
    info: { version: string };
  };
  const { version } = (await (await fetch(`${foreman.url}/healthz`)).json()) as {
    version: string;
  };

  expect(document.info.version).toBe(version);
  expect(await new Validator().validate(document)).toEqual({ valid: true });
});
