import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { occupySlot } from "../support/occupied-slot.ts";
import { RawClient } from "../support/raw-client.ts";
import { headerOf, parseWireAnswer, type WireAnswer } from "../support/wire-answer.ts";

const model = "llama3.2";
const messages = [{ role: "user", content: "hi" }];
const shortly = { FOREMAN_KEEPALIVE_AFTER: "200ms" };
const comment = ": keep-alive\n\n";

/** Each streaming route, with what fills it and with how an error looks in it. */
const routes = [
  {
    path: "/api/chat",
    body: { model, messages },
    filler: " ",
    error: /^\{"error":"oh no"\}\n$/,
  },
  {
    path: "/v1/chat/completions",
    body: { model, messages, stream: true },
    filler: comment,
    error:
      /^data: \{"error":\{"message":"oh no","type":"api_error","param":null,"code":null\}\}\n\n$/,
  },
  {
    path: "/v1/responses",
    body: { model, input: "hi", stream: true },
    filler: comment,
    error: /^data: \{"error":\{"message":"oh no","type":"api_error",.*\}\}\n\n$/,
  },
  {
    path: "/v1/messages",
    body: { model, messages, stream: true, max_tokens: 9 },
    filler: comment,
    error: /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"oh no"\}/,
  },
];

describe("a stream that waits for longer than FOREMAN_KEEPALIVE_AFTER", () => {
  test.each(routes)("$path gets its head and filler, and then its answer", async (route) => {
    const { foreman, free } = await occupySlot(shortly);

    const client = ask(foreman.port, route);
    await delay(120);
    expect(client.text).toBe("");
    await client.received(route.filler);
    const early = client.text;
    free();
    const answer = await answerTo(client);

    expect(early).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(headerOf(answer.headers, "content-type")).toBe(typeOf(route.path));
    expect(headerOf(answer.headers, "x-foreman-job")).toHaveLength(26);
    expect(answer.isWhole).toBe(true);
    expect(answer.chunks[0]).toBe(route.filler);
    expect(answer.chunks.slice(1).join("")).not.toContain("keep-alive");
    expect(answer.body).toMatch(/"done":true|\[DONE\]|response\.completed|message_stop/);
  });

  test("gets filler again every 15 s", async () => {
    const fast = { FOREMAN_KEEPALIVE_AFTER: "10s" };
    const { foreman, free } = await occupySlot(fast, { clock: hastened(100) });

    const client = ask(foreman.port, { path: "/api/chat", body: { model, messages } });
    await client.received("1\r\n \r\n1\r\n \r\n1\r\n \r\n");
    free();
    const answer = await answerTo(client);

    const [first = ""] = answer.body.split("\n");
    expect(first).toMatch(/^ {3,}\{/);
    expect(JSON.parse(first).model).toBe(model);
  });

  test.each(routes)("$path is told a late error of the target in-band", async (route) => {
    const { foreman, free, sim } = await occupySlot(shortly);
    sim.fail({
      route: route.path,
      fault: { kind: "error-after-tokens", tokens: 0, message: "oh no" },
    });

    const client = ask(foreman.port, route);
    await client.received(route.filler);
    free();
    const answer = await answerTo(client);

    expect(answer.chunks.length).toBe(2);
    expect(answer.chunks[1]).toMatch(route.error);
    expect(answer.isWhole).toBe(true);
  });

  test.each(routes)("$path is told an error of foreman's own in-band", async (route) => {
    const { foreman } = await occupySlot({ ...shortly, FOREMAN_QUEUE_TIMEOUT: "400ms" });

    const answer = await answerTo(ask(foreman.port, route));

    expect(answer.statusLine).toBe("HTTP/1.1 200 OK");
    expect(answer.chunks[0]).toBe(route.filler);
    expect(answer.chunks[1]).toContain("FOREMAN_QUEUE_TIMEOUT");
    expect(answer.isWhole).toBe(true);
  });

  test.each(routes)("$path ends visibly broken when the target dies in it", async (route) => {
    const { foreman, free, sim } = await occupySlot(shortly);
    sim.fail({ route: route.path, fault: { kind: "reset-after-tokens", tokens: 3 } });

    const client = ask(foreman.port, route);
    await client.received(route.filler);
    free();
    const answer = await answerTo(client);

    expect(answer.isWhole).toBe(false);
    expect(answer.chunks.at(-1)).toContain("Ollama broke the answer off");
    expect(answer.chunks.at(-1)).toMatch(/^(\{"error"|(\n\n)?data: |(\n\n)?event: error\n)/);
  });

  test("runs again unseen when the target dies before its answer", async () => {
    const { foreman, free, sim } = await occupySlot(shortly);
    sim.fail({ nth: 1, route: "/api/chat", fault: { kind: "reset" } });

    const client = ask(foreman.port, { path: "/api/chat", body: { model, messages } });
    await client.received(" ");
    free();
    const answer = await answerTo(client);

    expect(answer.isWhole).toBe(true);
    expect(answer.body).not.toContain("error");
    expect(answer.body).toContain('"done":true');
  });
});

describe("nothing is filled in", () => {
  test.each([
    ["/api/chat", { model, messages, stream: false }],
    ["/v1/chat/completions", { model, messages }],
    ["/v1/responses", { model, input: "hi" }],
    ["/v1/messages", { model, messages, max_tokens: 9 }],
  ])("when %s is asked for a whole answer, whose error keeps its status", async (path, body) => {
    const { foreman, free, sim } = await occupySlot({ FOREMAN_KEEPALIVE_AFTER: "50ms" });
    sim.fail({
      nth: 1,
      route: path,
      fault: { kind: "error-after-tokens", tokens: 0, message: "oh no" },
    });

    const failed = ask(foreman.port, { path, body });
    const answered = ask(foreman.port, { path, body });
    await delay(250);
    expect(failed.text + answered.text).toBe("");
    free();

    expect((await answerTo(failed)).statusLine).toBe("HTTP/1.1 500 Internal Server Error");
    const answer = await answerTo(answered);
    expect(answer.statusLine).toBe("HTTP/1.1 200 OK");
    expect(JSON.parse(answer.body).model).toBe(model);
    expect(answer.body[0]).toBe("{");
  });

  test("when FOREMAN_KEEPALIVE_AFTER is 0", async () => {
    const { foreman, free } = await occupySlot({ FOREMAN_KEEPALIVE_AFTER: "0" });

    const client = ask(foreman.port, { path: "/api/chat", body: { model, messages } });
    await delay(250);
    expect(client.text).toBe("");
    free();

    expect((await answerTo(client)).body[0]).toBe("{");
  });
});

function ask(port: number, { body, path }: { path: string; body: unknown }): RawClient {
  return new RawClient(port).post(path, body, ["Connection: close"]);
}

async function answerTo(client: RawClient): Promise<WireAnswer> {
  await client.over();
  client.leave();
  return parseWireAnswer(client.text);
}

function typeOf(path: string): string {
  return path.startsWith("/api/") ? "application/x-ndjson" : "text/event-stream";
}

/** A clock whose seconds pass so many times faster. */
function hastened(factor: number): Clock {
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() * factor,
    after: (ms, fn) => systemClock.after(ms / factor, fn),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
