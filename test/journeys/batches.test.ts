import { describe, expect, test } from "vitest";
import type { HistoryDocument } from "../../src/wire/history.ts";
import type { Status } from "../../src/wire/status.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const qwen = "qwen3.6:35b-a3b";
const llm = "/api/runtime/llm";

type Document = Readonly<Record<string, unknown>>;
type Result = {
  readonly request_id: string;
  readonly status: string;
  readonly content: string | null;
  readonly json?: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly previous_error: { readonly code: string; readonly message: string } | null;
};

/** As the backend's own document has them. */
const seedBatch = {
  provider: "ollama",
  model: qwen,
  job_type: "oracle_canvas_planning",
  items: [
    {
      request_id: "req_001",
      messages: [{ role: "user", content: "Show overdue high-QD follow-ups." }],
      response_format: "json",
    },
    {
      request_id: "req_002",
      messages: [{ role: "user", content: "Build a Kolkata luxury inventory comparison block." }],
      response_format: "json",
    },
  ],
};

async function scene(settings: Readonly<Record<string, string>> = {}, model = {}) {
  const sim = await startSim({ models: [{ name: qwen, tokens: 6, ...model }] });
  const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms", ...settings });
  const ask = async (method: string, path: string, body?: unknown, headers = {}) => {
    const answer = await fetch(foreman.url + llm + path, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, document: (await answer.json()) as Document };
  };
  const submit = async (body: unknown, headers = {}) => {
    const { document, status } = await ask("POST", "/batch", body, headers);
    expect({ status, document }).toMatchObject({ status: 202 });
    return String(document.job_id);
  };
  const view = async (id: string) => (await ask("GET", `/jobs/${id}`)).document;
  const ended = async (id: string) => {
    await until("the batch ends", async () => (await view(id)).ended_at !== null, 10_000);
    return await view(id);
  };
  const results = async (id: string, query = "") =>
    (await ask("GET", `/jobs/${id}/results${query}`)).document.results as readonly Result[];
  return { sim, foreman, ask, submit, view, ended, results };
}

const statusOf = async ({ url }: { readonly url: string }) =>
  (await (await fetch(`${url}/foreman/status`)).json()) as Status;

/** Items that have not ended, as the status tells them: in a slot, in the queue, in the store. */
const openItems = ({ batches, running, waiting }: Status) =>
  waiting.reduce((sum, { depth }) => sum + depth, running.length + batches.unfed);

const items = (count: number, content = (i: number) => `item ${i}`) =>
  Array.from({ length: count }, (_, i) => ({
    request_id: `r${i}`,
    messages: [{ role: "user", content: content(i) }],
  }));

const batchOf = (count: number, content?: (i: number) => string) => ({
  ...{ provider: "ollama", model: qwen, job_type: "t" },
  items: items(count, content),
});

describe("a batch", () => {
  test("goes as the backend's document says, from the submission to its results", async () => {
    const { ask, ended, results } = await scene();

    const { document, status } = await ask("POST", "/batch", seedBatch);
    const id = String(document.job_id);

    expect(status).toBe(202);
    expect(document).toMatchObject({
      ...{ status: "queued", provider: "ollama", model: qwen, submitted_count: 2 },
      ...{ completed_count: 0, failed_count: 0, job_type: "oracle_canvas_planning" },
      payload_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await ended(id)).toMatchObject({
      ...{ job_id: id, status: "completed", provider: "ollama", model: qwen },
      ...{ submitted_count: 2, completed_count: 2, failed_count: 0, failure_reason: null },
      ...{ started_at: expect.any(String), ended_at: expect.any(String) },
    });
    const found = await results(id);
    expect(found.map(({ request_id }) => request_id)).toEqual(["req_001", "req_002"]);
    for (const result of found) {
      expect(result).toMatchObject({ status: "completed", provider: "ollama", error: null });
      expect(result.json).toEqual(JSON.parse(result.content ?? ""));
    }
    expect((await ask("GET", `/jobs/${id}/results/req_002`)).document).toEqual(found[1]);
  });

  test("is refused whole for one bad item, and nothing of it is kept", async () => {
    const { ask, sim } = await scene();
    const bad = { ...seedBatch, items: [...seedBatch.items, { request_id: "req_001" }] };

    const { document, status } = await ask("POST", "/batch", bad);

    expect(status).toBe(422);
    expect(document.detail).toEqual([
      { loc: ["body", "items", 2, "messages"], msg: "Field required", type: "missing" },
    ]);
    expect((await ask("GET", "/jobs")).document).toEqual({ jobs: [], next: null });
    expect(requestsTo(sim.journal.events, "/api/chat")).toEqual([]);
  });

  test.each([
    ["an unknown model", { model: "nobody:1b" }, 404, /nobody:1b/],
    ["an unknown provider", { provider: "openai" }, 422, /ollama/],
    ["a provider that is not set up", { provider: "nemoclaw" }, 422, /NEMOCLAW_API_URL/],
    [
      "a schema that is none",
      { items: [{ ...seedBatch.items[0], response_format: { type: 7 } }] },
      422,
      /schema/,
    ],
    ["no items", { items: [] }, 422, /at least 1/],
  ])("is refused for %s, in clear words", async (_, more, status, words) => {
    const { ask } = await scene();

    const answer = await ask("POST", "/batch", { ...seedBatch, ...more });

    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.document.detail)).toMatch(words);
  });

  test("with a key that was used finds its job again, and no other batch under it", async () => {
    const { ask, submit } = await scene();
    const headers = { "Idempotency-Key": "nightly" };

    const id = await submit(seedBatch, headers);
    const { items: seedItems, ...head } = seedBatch;
    const reordered = { items: seedItems, ...head };

    expect(await submit(reordered, headers)).toBe(id);
    const other = await ask("POST", "/batch", { ...seedBatch, job_type: "other" }, headers);
    expect(other).toMatchObject({ status: 409, document: { code: "key_reused" } });
  });

  test("counts exactly while it runs, and its results can be read meanwhile", async () => {
    const { ended, results, submit, view } = await scene({}, { tokenMs: 3 });

    const id = await submit(batchOf(20));
    const sums = new Set<number>();
    await until("half of it has ended", async () => {
      const now = await view(id);
      const counts = ["queued", "running", "completed", "failed", "cancelled"];
      sums.add(counts.reduce((sum, name) => sum + Number(now[`${name}_count`]), 0));
      return Number(now.completed_count) >= 10;
    });

    expect((await results(id, "?status=completed")).length).toBeGreaterThanOrEqual(10);
    expect([...sums]).toEqual([20]);
    expect(await ended(id)).toMatchObject({ completed_count: 20, queued_count: 0 });
  });

  test("is cancelled in the middle: what ran is cut, what waited is never sent", async () => {
    const { ask, foreman, results, sim, submit, view } = await scene(
      {},
      { tokenMs: 20, tokens: 100 },
    );
    const id = await submit(batchOf(100));
    await until("it runs", () => sim.journal.events.some(({ kind }) => kind === "token"));
    await until("all are told of", async () => openItems(await statusOf(foreman)) === 100);
    expect((await statusOf(foreman)).batches).toEqual({ open: 1, unfed: 68 });
    const history = await (await fetch(`${foreman.url}/foreman/history`)).json();
    expect((history as HistoryDocument).samples.at(-1)).toMatchObject({ unfed: 68 });
    const metrics = await (await fetch(`${foreman.url}/metrics`)).text();
    expect(metrics).toMatch(/^foreman_batch_items_unfed 68$/m);

    const { document } = await ask("POST", `/jobs/${id}/cancel`);

    expect(document).toMatchObject({ status: "cancelled", cancelled_count: 100, running_count: 0 });
    expect(document.ended_at).not.toBeNull();
    const [first] = await results(id);
    expect(first).toMatchObject({ status: "cancelled", error: { code: "cancelled" } });
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(1);
    // The slot of what was cut is kept until the target has had its moment to notice.
    await until("no item is told of", async () => openItems(await statusOf(foreman)) === 0);
    await until("the target is free", () =>
      sim.journal.events.some(({ outcome }) => outcome === "cancelled"),
    );
    expect(await ask("POST", `/jobs/${id}/cancel`)).toMatchObject({ document: await view(id) });
  });

  test("lets a person through between two items", async () => {
    const { foreman, submit } = await scene({ FOREMAN_PREEMPT_WITHIN: "0" }, { tokenMs: 5 });
    await submit(batchOf(200));

    const startedMs = performance.now();
    const answer = await fetch(`${foreman.url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({ model: qwen, messages: [{ role: "user", content: "now" }] }),
    });
    await answer.text();

    expect(answer.status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  test("fails an item with the validator's words when repairs do not help", async () => {
    const { ended, results, sim, submit } = await scene({ FOREMAN_REPAIR_ATTEMPTS: "1" });
    // No model could answer this: an integer that is no number below it.
    const schema = {
      type: "object",
      properties: { a: { const: 1, type: "string" } },
      required: ["a"],
    };
    const [item] = seedBatch.items;

    const id = await submit({ ...seedBatch, items: [{ ...item, response_format: schema }] });

    expect(await ended(id)).toMatchObject({ status: "failed", failed_count: 1 });
    const [result] = await results(id);
    expect(result).toMatchObject({
      status: "failed",
      error: { code: "invalid_output" },
      repairs: 1,
    });
    expect(result?.error?.message).toMatch(/\/a/);
    expect(requestsTo(sim.journal.events, "/api/chat").length).toBe(2);
  });

  test("waits for a target that is away, and ends when it is back", async () => {
    const { ended, sim, submit, view } = await scene();
    await sim.down();

    const id = await submit(batchOf(3));
    await until("it waits in the queue", async () => Number((await view(id)).queued_count) === 3);
    await sim.up();

    expect(await ended(id)).toMatchObject({ status: "completed", completed_count: 3 });
  });

  test("survives a restart of foreman, item by item", async () => {
    const first = await scene({ FOREMAN_DRAIN_TIMEOUT: "50ms" }, { tokenMs: 2 });
    const id = await first.submit(batchOf(60));
    await until("some ended", async () => Number((await first.view(id)).completed_count) > 5);
    await first.foreman.stop();
    await first.sim.down();

    const settings = { FOREMAN_DB: first.foreman.databaseFile, FOREMAN_POLL_INTERVAL: "100ms" };
    const second = await startForeman(first.sim.url, settings);
    const view = async () =>
      (await (await fetch(`${second.url}${llm}/jobs/${id}`)).json()) as Document;
    await until("the rest is told of", async () => {
      const { completed_count: completed } = await view();
      return Number(completed) + openItems(await statusOf(second)) === 60;
    });
    await first.sim.up();
    await until("the batch ends", async () => (await view()).ended_at !== null, 10_000);

    expect(await view()).toMatchObject({ status: "completed", completed_count: 60 });
    const starts = requestsTo(first.sim.journal.events, "/api/chat").length;
    expect(starts).toBeLessThanOrEqual(61);
    expect((await statusOf(second)).batches).toEqual({ open: 0, unfed: 0 });
    expect((await statusOf(second)).today.items.completed).toBe(60);
  });

  test("has its failed items tried again, amid its run and after its end", async () => {
    const { ask, ended, foreman, results, sim, submit, view } = await scene();
    const fault = { kind: "answer", status: 400, body: '{"error":"no"}' } as const;
    sim.fail({ route: "/api/chat", times: 40, fault });
    const id = await submit(batchOf(60));
    await until("some failed", async () => Number((await view(id)).failed_count) >= 5);

    const amid = await ask("POST", `/jobs/${id}/retry`);
    expect(amid.document.retried).toBeGreaterThanOrEqual(5);
    const first = await ended(id);
    expect(first.status).toBe("completed");
    expect(Number(first.completed_count) + Number(first.failed_count)).toBe(60);
    expect(first.failed_count).toBeGreaterThan(0);
    const after = await ask("POST", `/jobs/${id}/retry`);
    expect(after.document).toMatchObject({ retried: first.failed_count, failed_count: 0 });
    expect(after.document.ended_at).toBeNull();

    const last = { status: "completed", completed_count: 60, failed_count: 0, queued_count: 0 };
    expect(await ended(id)).toMatchObject(last);
    const items = await results(id);
    expect(items.every(({ content, error }) => content && !error)).toBe(true);
    const previous = items.flatMap(({ previous_error }) => previous_error ?? []);
    expect(previous.length).toBeGreaterThanOrEqual(Number(first.failed_count));
    expect(previous[0]).toMatchObject({ code: "provider_refused" });
    const none = await ask("POST", `/jobs/${id}/retry`);
    expect(none.document).toMatchObject({ ...last, retried: 0 });
    const { batches, today } = await statusOf(foreman);
    expect(batches).toEqual({ open: 0, unfed: 0 });
    expect(today.items).toMatchObject({ failed: 40, completed: 60 });
    const cancelled = await submit(batchOf(500));
    await ask("POST", `/jobs/${cancelled}/cancel`);
    expect(await ask("POST", `/jobs/${cancelled}/retry`)).toMatchObject({
      status: 409,
      document: { code: "batch_cancelled" },
    });
  });

  test("gives its results in pages and as lines, the same ones", async () => {
    const { ask, ended, foreman, results, submit } = await scene();
    const id = await submit(batchOf(25));
    await ended(id);

    const pages: Result[] = [];
    let after: unknown = 0;
    while (after !== null) {
      const { document } = await ask("GET", `/jobs/${id}/results?after=${after}&limit=10`);
      pages.push(...(document.results as Result[]));
      after = document.next;
    }
    const lines = await fetch(`${foreman.url}${llm}/jobs/${id}/results`, {
      headers: { accept: "application/x-ndjson" },
    });

    expect(lines.headers.get("content-type")).toBe("application/x-ndjson");
    const text = await lines.text();
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(pages);
    expect(pages).toEqual(await results(id));
    expect(pages).toHaveLength(25);
  });

  test("has its results approved or rejected, once, by somebody, with a note", async () => {
    const { ask, ended, results, submit } = await scene();
    const id = await submit({ ...seedBatch, requires_approval: true });
    await ended(id);
    const judge = (request: string, verb: string, body?: object) =>
      ask("POST", `/jobs/${id}/results/${request}/${verb}`, body);

    expect(await results(id)).toMatchObject([
      { approval: { state: "pending" } },
      { approval: { state: "pending" } },
    ]);
    const approved = await judge("req_001", "approve", { by: "eve", note: "fits" });
    const rejected = await judge("req_002", "reject");

    expect(approved.document.approval).toMatchObject({
      state: "approved",
      by: "eve",
      note: "fits",
    });
    expect(rejected.document.approval).toMatchObject({ state: "rejected", by: "127.0.0.1" });
    expect(await judge("req_001", "reject")).toMatchObject({ status: 409 });
    expect(await judge("req_009", "approve")).toMatchObject({ status: 404 });
    const usable = await results(id, "?approval=approved");
    expect(usable.map(({ request_id }) => request_id)).toEqual(["req_001"]);
  });

  test("answers items of deterministic_fallback at once, from their own fallback", async () => {
    const { ended, results, submit } = await scene();

    const id = await submit({
      ...{ provider: "deterministic_fallback", model: "any", job_type: "t" },
      items: items(3).map((item) => ({ ...item, fallback: { json: { plan: [] } } })),
    });

    expect(await ended(id)).toMatchObject({ status: "completed", completed_count: 3 });
    expect((await results(id))[0]).toMatchObject({
      provider: "deterministic_fallback",
      content: '{"plan":[]}',
    });
  });

  test("tells its progress as events that a hub can send on, to the end", async () => {
    const { foreman, submit } = await scene({}, { tokenMs: 3 });
    const id = await submit(batchOf(10));

    const stream = await fetch(`${foreman.url}${llm}/jobs/${id}/events`);
    const frames = (await stream.text()).split("\n\n").filter((frame) => frame.includes("data:"));
    const events = frames.map((frame) => JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? ""));

    const last = events.at(-1);
    expect(last).toMatchObject({
      ...{ event_type: "runtime_llm.completed", campaign_name: `t/${id}`, value: 1 },
      ...{ status: "completed", completed_count: 10, timestamp: expect.any(String) },
    });
    const values = events.map(({ value }) => value as number);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    const again = await fetch(`${foreman.url}${llm}/jobs/${id}/events`, {
      headers: { "Last-Event-ID": "11" },
    });
    expect(again.status).toBe(204);
  });
});
