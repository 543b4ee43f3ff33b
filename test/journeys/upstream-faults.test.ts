/** A target that answers, but wrongly, late, elsewhere or only half. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ask, headerIn, readAnswers } from "../support/ask.ts";
import { asked } from "../support/asked.ts";
import { RawClient } from "../support/raw-client.ts";
import type { Fault } from "../support/sim-ollama/fault.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const get = (target: string, ...headers: string[]) =>
  `${[`GET ${target} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

const chat = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };

const post = (url: string, body: unknown) =>
  fetch(url, { method: "POST", body: JSON.stringify(body) });

const hold = (bytes: string): Fault => ({ kind: "raw", bytes, ending: "hold" });
const close = (bytes: string): Fault => ({ kind: "raw", bytes, ending: "close" });
const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/** What the client must see: a refusal, an answer that shows that it is broken, or a whole one. */
const oddities: Readonly<Record<string, readonly ["502" | "broken" | "whole", Fault]>> = {
  "a body shorter than announced": ["broken", close(`${ok}Content-Length: 9\r\n\r\n{}`)],
  "a body longer than announced": ["whole", hold(`${ok}Content-Length: 2\r\n\r\n{}more`)],
  "two framings": [
    "502",
    hold(`${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
  ],
  "two lengths": ["502", hold(`${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`)],
  "a broken chunk": ["broken", hold(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n`)],
  "chunks without an end": ["broken", close(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`)],
  garbage: ["502", hold("\0\0garbage\r\n\r\n")],
  "HTTP/0.9": ["502", close("{}")],
  "bare line feeds": ["502", hold("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}")],
  "a header of 100 kB": ["502", hold(`${ok}X-Huge: ${"x".repeat(100_000)}\r\n\r\n`)],
  "a header with a control character": [
    "502",
    hold(`${ok}X-Bell: \x07\r\nContent-Length: 2\r\n\r\n{}`),
  ],
  "an unasked 100": ["502", hold("HTTP/1.1 100 Continue\r\n\r\n")],
  "a switch of protocols": ["502", hold("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")],
  "a body ended by the connection": ["whole", { kind: "close-delimited" }],
  "an early hint": ["whole", { kind: "informational", status: 103, count: 1 }],
  nothing: ["502", { kind: "reset" }],
};

describe("a target that answers wrongly", () => {
  test("U4 is told as 502 or by a broken answer; the next request finds foreman alive", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const seen: Record<string, string> = {};

    for (const [what, [, fault]] of Object.entries(oddities)) {
      const laid = sim.fail({ route: "/api/status", fault });
      const client = new RawClient(foreman.port).send(get("/api/status"));
      const answer = () => readAnswers(client.text)[0];
      await until(what, () => client.isOver || answer()?.isWhole === true);
      laid.remove();
      const isWhole = answer()?.isWhole === true;
      seen[what] = !isWhole ? "broken" : answer()?.statusCode === 200 ? "whole" : "502";
      if (seen[what] === "502") expect(answer()?.body).toMatch(/^\{"error":"Ollama /);
      client.leave();
      expect([what, (await ask(foreman.port, get("/api/status")))?.statusCode]).toEqual([
        what,
        200,
      ]);
    }

    const expected = Object.entries(oddities).map(([what, [outcome]]) => [what, outcome]);
    expect(seen).toEqual(Object.fromEntries(expected));
    expect((await post(`${foreman.url}/api/chat`, chat)).status).toBe(200);
  });

  test("U3 an answer that nobody asked for is given to nobody", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const stray = `${ok}Content-Length: 9\r\n\r\n"strayed"`;
    sim.fail({
      route: "/api/status",
      times: 1,
      fault: hold(`${ok}Content-Length: 7\r\n\r\n"asked"${stray}`),
    });

    const first = await ask(foreman.port, get("/api/status"));
    const next = await Promise.all(
      Array.from({ length: 10 }, () => ask(foreman.port, get("/api/status"))),
    );

    expect(first?.body).toBe('"asked"');
    for (const answer of next) expect(answer?.body).toMatch(/^\{"cloud":/);
  });

  test("U2 a connection that dies as it is used again costs no client an error", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_LOG_LEVEL: "fatal" });
    const requests = {
      "/api/status": () => fetch(`${foreman.url}/api/status`),
      "/api/embed": () =>
        post(`${foreman.url}/api/embed`, { model: "nomic-embed-text", input: "a" }),
      "/api/chat": () => post(`${foreman.url}/api/chat`, chat),
    };

    for (const [route, request] of Object.entries(requests)) {
      for (let turn = 0; turn < 30; turn += 1) {
        sim.journal.clear();
        const kind = turn % 2 === 0 ? "close" : "reset";
        const laid = sim.fail({ route, times: 1, fault: { kind } });
        const answer = await request();
        expect([route, turn, answer.status]).toEqual([route, turn, 200]);
        await answer.text();
        expect([laid.hitCount, asked(sim).length]).toEqual([1, 2]);
      }
    }
  });

  test("U2 what changes something is never asked twice", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const paths = ["/api/pull", "/api/create", "/api/push", "/api/copy", "/api/show", "/api/me"];

    for (const path of paths) {
      sim.fail({ route: path, times: 1, fault: { kind: "reset" } });
      const answer = await post(foreman.url + path, { model: "llama3.2", source: "a" });
      expect([path, answer.status]).toEqual([path, 502]);
    }

    expect(asked(sim).map(({ path }) => path)).toEqual(paths);
  });

  test("U6 redirects are handed on, never followed, and the token goes nowhere else", async () => {
    const sim = await startSim();
    const elsewhere = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_OLLAMA_TOKEN: "outbound" });

    for (const status of [301, 302, 303, 307, 308]) {
      const headers = [["Location", `${elsewhere.url}/api/chat`]] as const;
      sim.fail({ route: "/api/chat", times: 1, fault: { kind: "answer", status, headers } });
      const answer = await fetch(`${foreman.url}/api/chat`, {
        method: "POST",
        body: JSON.stringify(chat),
        redirect: "manual",
      });
      expect([answer.status, answer.headers.get("location")]).toEqual([status, headers[0][1]]);
    }
    expect(asked(sim)[0]?.rawHeaders).toContain("Bearer outbound");
    expect(elsewhere.journal.events.filter(({ kind }) => kind === "request")).toEqual([]);
  });

  test("U7 errors of the target reach the client with status, words and Retry-After", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    for (const status of [429, 500, 503, 507]) {
      const body = `{"error":"target says ${status}"}`;
      const headers = [
        ["Content-Type", "application/json"],
        ["Retry-After", "17"],
      ] as const;
      for (const path of ["/api/chat", "/api/embed", "/v1/chat/completions", "/api/show"]) {
        sim.fail({ route: path, times: 1, fault: { kind: "answer", status, headers, body } });
        const answer = await post(foreman.url + path, { ...chat, input: "a" });
        const seen = [answer.status, answer.headers.get("retry-after"), await answer.text()];
        expect([path, ...seen]).toEqual([path, status, "17", body]);
      }
    }
    expect((await post(`${foreman.url}/api/chat`, chat)).status).toBe(200);
  });

  test("U9 connections to the target are watched by TCP keep-alive", async ({ skip }) => {
    if (process.platform !== "linux") skip("/proc/net/tcp is Linux's");
    const sim = await startSim({ models: [{ name: "llama3.2", tokenMs: 20, tokens: 500 }] });
    const foreman = await startForeman(sim.url);
    const client = new RawClient(foreman.port).post("/api/chat", { ...chat, stream: true });
    await client.received('"done":false');

    const port = sim.port.toString(16).toUpperCase().padStart(4, "0");
    const ours = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote, state]) => remote === `0100007F:${port}` && state === "01");

    // Timer 02 is keep-alive; 01 is a retransmission that is just under way.
    expect(ours.length).toBeGreaterThan(0);
    for (const [, , , , , timer] of ours) expect(timer).toMatch(/^0[12]:/);
    client.leave();
  });

  test("U11 a stream that ends cleanly without its end marker is no finished job", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);
    const routes = ["/api/chat", "/v1/chat/completions", "/v1/responses", "/v1/messages"];

    for (const route of routes) {
      sim.fail({ route, times: 1, fault: { kind: "truncate-after-tokens", tokens: 3 } });
      const body = { ...chat, input: "a", stream: true, max_tokens: 9 };
      await (await post(foreman.url + route, body)).text();
    }

    const endings = foreman.logged.filter(({ msg }) => /^job (done|failed)$/.test(msg));
    expect(endings.map(({ msg, reason }) => [msg, reason])).toEqual(
      routes.map(() => ["job failed", "incomplete_answer"]),
    );
    expect(headerIn(await ask(foreman.port, get("/api/version")), "content-type")).not.toBeNull();
  });
});
