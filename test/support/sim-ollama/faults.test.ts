import { gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { headerOf } from "../wire-answer.ts";
import { ask, chatBody, dial, post, requestText, simFor } from "./ask.ts";
import { hugeHeader } from "./fault.ts";

const models = [{ name: "m", tokens: 5, tokenMs: 0, loadMs: 0 }];
const route = "/api/chat";
const chat = chatBody("m");

describe("a fault", () => {
  test.each(["reset", "close"] as const)("%s ends the connection before any byte", async (kind) => {
    const sim = await simFor({ models });
    sim.fail({ route, fault: { kind } });

    await expect(post(sim, route, chat)).rejects.toThrow("fetch failed");
  });

  test("strikes the nth request, and so many times", async () => {
    const sim = await simFor({ models });
    const handle = sim.fail({ route, nth: 2, times: 1, fault: { kind: "answer", status: 503 } });

    const statuses = [];
    for (let sent = 0; sent < 3; sent += 1) statuses.push((await post(sim, route, chat)).status);

    expect(statuses).toEqual([200, 503, 200]);
    expect(handle.hitCount).toBe(1);
  });

  test("strikes one model and no other", async () => {
    const sim = await simFor({ models: [...models, { name: "n", loadMs: 0, tokenMs: 0 }] });
    sim.fail({ model: "n", fault: { kind: "answer", status: 500, body: "{}" } });

    const statuses = [(await post(sim, route, chat)).status];
    statuses.push((await post(sim, route, chatBody("n"))).status);

    expect(statuses).toEqual([200, 500]);
  });

  test("answers with any status, headers and body", async () => {
    const sim = await simFor({ models });
    const headers = [
      ["Retry-After", "7"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ] as const;
    sim.fail({ fault: { kind: "answer", status: 429, headers, body: "busy" } });

    const answer = await ask(sim, "POST", route, chat);

    expect([answer.status, answer.body]).toEqual([429, "busy"]);
    expect(answer.headers.filter(([name]) => name === "Set-Cookie").length).toBe(2);
    expect(headerOf(answer.headers, "retry-after")).toBe("7");
  });

  test("answers while the body is still on its way", async () => {
    const sim = await simFor({ models });
    sim.fail({ route, atHead: true, fault: { kind: "answer", status: 413 } });
    const client = dial(sim);
    client.write("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n{");

    const [head] = await new Promise<string[]>((resolve) => {
      client.once("data", (piece) => resolve([piece.toString("latin1")]));
    });

    expect(head).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("stalls until it is released", async () => {
    const sim = await simFor({ models });
    const handle = sim.fail({ route, fault: { kind: "stall" } });

    let isAnswered = false;
    const answer = post(sim, route, chat).finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(handle.hitCount).toBe(1));
    expect(isAnswered).toBe(false);
    handle.release();

    expect((await answer).status).toBe(200);
  });

  test("stalls after so many tokens, with the slot held", async () => {
    const sim = await simFor({ models });
    const handle = sim.fail({ route, times: 1, fault: { kind: "stall-after-tokens", tokens: 2 } });

    const first = ask(sim, "POST", route, chat);
    await vi.waitFor(() => expect(tokensOf(sim)).toBe(2));
    const second = ask(sim, "POST", route, chat);
    await vi.waitFor(() => expect(sim.journal.events.at(-1)?.kind).toBe("slot-wait"));
    handle.release();

    expect((await first).chunks.length).toBe(6);
    expect((await second).chunks.length).toBe(6);
  });

  test.each([
    ["reset-after-tokens", 3, false],
    ["close-after-tokens", 3, false],
    ["truncate-after-tokens", 3, true],
  ] as const)("%s leaves %i lines and no end", async (kind, lines, isWhole) => {
    const sim = await simFor({ models });
    sim.fail({ route, fault: { kind, tokens: 3 } });

    const answer = await ask(sim, "POST", route, chat);

    expect([answer.chunks.length, answer.isWhole]).toEqual([lines, isWhole]);
    expect(answer.body).not.toContain('"done":true');
  });

  test("is an error line after the first token, and a status before it", async () => {
    const sim = await simFor({ models });
    const message = "CUDA error: out of memory";
    const late = sim.fail({ route, fault: { kind: "error-after-tokens", tokens: 1, message } });

    const answer = await ask(sim, "POST", route, chat);
    late.remove();
    sim.fail({ route, fault: { kind: "error-after-tokens", tokens: 0, message } });
    const early = await ask(sim, "POST", route, chat);

    expect([answer.status, answer.chunks.at(-1)]).toEqual([200, `{"error":"${message}"}\n`]);
    expect([early.status, early.body]).toEqual([500, `{"error":"${message}"}`]);
    expect(sim.loaded).toEqual([]);
  });

  test("is a model that does not load", async () => {
    const sim = await simFor({ models });
    const message = "llama-server process has terminated: exit status 1";
    sim.fail({ route, times: 1, fault: { kind: "load-failure", message } });

    const failed = await post(sim, route, chat);
    const next = await post(sim, route, chat);

    expect([failed.status, await failed.json()]).toEqual([500, { error: message }]);
    expect(next.status).toBe(200);
  });

  test("cuts an answer after so many bytes", async () => {
    const sim = await simFor({ models });
    sim.fail({ route: "/api/tags", fault: { kind: "reset-after-bytes", bytes: 150 } });

    const answer = await ask(sim, "GET", "/api/tags");

    expect(answer.isWhole).toBe(false);
  });

  test("delimits the body by the connection's end, or lies about its length", async () => {
    const sim = await simFor({ models });
    sim.fail({ nth: 1, fault: { kind: "close-delimited" } });
    sim.fail({ nth: 1, fault: { kind: "content-length", delta: 5 } });

    const delimited = await ask(sim, "GET", "/api/tags");
    const long = await ask(sim, "GET", "/api/tags");

    expect([delimited.framing, JSON.parse(delimited.body).models.length]).toEqual([
      "until-close",
      1,
    ]);
    expect([long.framing, long.isWhole]).toEqual(["length", false]);
  });

  test("adds headers, one of them huge, and informational heads", async () => {
    const sim = await simFor({ models });
    sim.fail({ nth: 1, fault: hugeHeader(100_000) });
    sim.fail({ nth: 1, fault: { kind: "informational", status: 103, count: 2 } });

    const huge = await ask(sim, "GET", "/api/ps");
    const client = dial(sim);
    const pieces: string[] = [];
    client.on("data", (piece) => pieces.push(piece.toString("latin1")));
    client.write(requestText("GET", "/api/ps"));
    await new Promise((resolve) => client.once("close", resolve));

    expect(headerOf(huge.headers, "x-huge")?.length).toBe(100_000);
    expect(pieces.join("").match(/HTTP\/1\.1 \d+/g)).toEqual([
      "HTTP/1.1 103",
      "HTTP/1.1 103",
      "HTTP/1.1 200",
    ]);
  });

  test("compresses, replaces or slows a body, and invents a status", async () => {
    const sim = await simFor({ models });
    sim.fail({ nth: 1, fault: { kind: "gzip" } });
    sim.fail({ nth: 1, fault: { kind: "replace-body", body: "<html>" } });
    sim.fail({ nth: 1, fault: { kind: "slow-body", pieceBytes: 20, pauseMs: 1 } });
    sim.fail({ nth: 1, fault: { kind: "status", status: 999, statusText: "Odd" } });

    const zipped = await ask(sim, "GET", "/api/ps");
    const replaced = await ask(sim, "GET", "/api/tags");
    const slow = await ask(sim, "GET", "/api/tags");
    const odd = await ask(sim, "GET", "/api/ps");

    const inflated = gunzipSync(Buffer.from(zipped.body, "latin1")).toString();
    expect(inflated).toBe('{"models":[]}');
    expect(replaced.body).toBe("<html>");
    expect(JSON.parse(slow.body).models.length).toBe(1);
    expect(odd.statusLine).toBe("HTTP/1.1 999 Odd");
  });

  test("sends bytes that are no HTTP", async () => {
    const sim = await simFor({ models });
    sim.fail({ fault: { kind: "raw", bytes: "\u0000garbage\r\n\r\n", ending: "close" } });

    await expect(post(sim, route, chat)).rejects.toThrow("fetch failed");
  });
});

describe("the sim's life", () => {
  test("breaks every connection when it goes down, and comes back on its port", async () => {
    const sim = await simFor({ models: [{ name: "m", tokens: 500, tokenMs: 5, loadMs: 0 }] });
    const port = sim.port;
    const streaming = ask(sim, "POST", route, chat);
    await vi.waitFor(() => expect(tokensOf(sim)).toBeGreaterThan(0));

    await sim.down();
    expect((await streaming).isWhole).toBe(false);
    await expect(fetch(sim.url)).rejects.toThrow("fetch failed");
    await sim.up();

    expect([sim.port, sim.loaded]).toEqual([port, []]);
    expect((await post(sim, route, chatBody("m", "[[tokens=1]]"))).status).toBe(200);
  });
});

function tokensOf(sim: { journal: { events: readonly { kind: string }[] } }): number {
  return sim.journal.events.filter(({ kind }) => kind === "token").length;
}
