/** Named tokens: what a user may, whose work is whose, and the file read anew. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { hashOf, newToken } from "../../src/access/new-token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { asked } from "../support/asked.ts";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const chat = { model: "llama3.2", messages: [{ role: "user", content: "hi" }] };

function tokensFile() {
  const folder = mkdtempSync(join(tmpdir(), "foreman-scopes-"));
  const file = join(folder, "tokens.json");
  const add = (name: string, scope: "user" | "admin") => {
    const token = newToken();
    addToken(file, { name, hash: hashOf(token), scope });
    return token;
  };
  return { add, file, folder };
}

function caller(url: string, token: string) {
  return async (line: string, body?: object) => {
    const [method = "", path = ""] = line.split(" ");
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, text };
  };
}

test("A1 a user's token is refused what is an admin's, before the target sees it", async () => {
  const sim = await startSim();
  const { add, file } = tokensFile();
  const [ann, root] = [add("ann", "user"), add("root", "admin")];
  const foreman = await startForeman(sim.url, { FOREMAN_TOKENS_FILE: file });
  const asUser = caller(foreman.url, ann);

  const lines = [
    "POST /api/pull",
    "DELETE /api/delete",
    "DELETE //api/delete",
    "POST /api/signout",
    "POST /api/newer",
  ];
  for (const line of lines) {
    const { status, text } = await asUser(line, { model: "llama3.2" });
    expect([line, status]).toEqual([line, 403]);
    expect(text).toContain("admin");
  }
  expect((await asUser("DELETE /api%2fdelete", {})).status).toBe(403);
  expect((await asUser("POST /jobs/cancel", { all: true })).status).toBe(403);
  expect((await asUser("POST /foreman/backup")).status).toBe(403);
  const providers = await asUser("PUT /api/runtime/llm/providers", { order: ["ollama"] });
  expect(JSON.parse(providers.text)).toMatchObject({ code: "forbidden" });
  expect(asked(sim).filter(({ path }) => /pull|delete/.test(path ?? ""))).toEqual([]);

  expect(asked(sim).filter(({ path }) => /newer/.test(path ?? ""))).toEqual([]);
  const open = ["GET /api/tags", "POST /api/show", "POST /api/chat", "POST /v1/chat/completions"];
  for (const line of open) {
    const body = line.startsWith("GET") ? undefined : chat;
    expect([line, (await asUser(line, body)).status]).toEqual([line, 200]);
  }
  expect((await caller(foreman.url, root)("POST /foreman/backup")).status).toBe(201);
});

test("A8 another's jobs and batches are not found and not listed, but by an admin", async () => {
  const sim = await startSim();
  const { add, file } = tokensFile();
  const tokens = [add("ann", "user"), add("bob", "user"), add("root", "admin")];
  const foreman = await startForeman(sim.url, { FOREMAN_TOKENS_FILE: file });
  const [ann, bob, root] = tokens.map((token) => caller(foreman.url, token));
  const submitted = await ann?.("POST /jobs", chat);
  const { job_id } = JSON.parse(submitted?.text ?? "") as { job_id: string };
  const items = [{ request_id: "1", messages: chat.messages }];
  const submission = { provider: "ollama", model: "llama3.2", job_type: "x", items };
  const batch = await ann?.("POST /api/runtime/llm/batch", submission);
  expect([batch?.status, batch?.text]).toEqual([202, expect.stringContaining("job_id")]);
  const { job_id: batchId } = JSON.parse(batch?.text ?? "") as { job_id: string };
  const lines = [
    ...[`GET /jobs/${job_id}`, `POST /jobs/${job_id}/cancel`, `HEAD /jobs/${job_id}/events`],
    ...["", "/results"].map((rest) => `GET /api/runtime/llm/jobs/${batchId}${rest}`),
    `POST /api/runtime/llm/jobs/${batchId}/cancel`,
  ];

  for (const line of [...lines, `GET /jobs/${job_id}/request`]) {
    expect([line, (await bob?.(line))?.status]).toEqual([line, 404]);
  }
  const lists = [
    ["/jobs", job_id],
    ["/api/runtime/llm/jobs", batchId],
  ] as const;
  for (const [list, id] of lists) {
    for (const query of ["", "?client=ann"]) {
      expect((await bob?.(`GET ${list}${query}`))?.text).toBe('{"jobs":[],"next":null}');
      expect((await ann?.(`GET ${list}${query}`))?.text).toContain(id);
      expect((await root?.(`GET ${list}${query}`))?.text).toContain(id);
    }
  }
  const approve = `POST /api/runtime/llm/jobs/${batchId}/results/1/approve`;
  expect((await bob?.(approve, { by: "ann" }))?.status).toBe(404);
  for (const line of lines) expect([line, (await root?.(line))?.status]).toEqual([line, 200]);
});

test("A4 A5 SIGHUP: the new token works, the old stops, a stream goes on; none is logged", async () => {
  const sim = await startSim({ models: [{ name: "llama3.2", tokens: 9_999, tokenMs: 20 }] });
  const { add, file, folder } = tokensFile();
  const old = add("old", "user");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const daemon = new DaemonProcess({
    FOREMAN_ADDR: `127.0.0.1:${port}`,
    FOREMAN_OLLAMA_URL: sim.url,
    FOREMAN_DB: join(folder, "foreman.db"),
    FOREMAN_TOKENS_FILE: file,
    FOREMAN_LOG_LEVEL: "trace",
  });
  await daemon.listening(url);
  const body = JSON.stringify(chat);
  const stream = new RawClient(port).send(
    `POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${old}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await stream.received('"done":false');

  writeFileSync(file, '{"tokens":[]}');
  const args = ["src/main.js", "token", "add", "new", "--file", file];
  const added = execFileSync(process.execPath, args, { encoding: "utf8", stdio: "pipe" }).trim();
  expect(added).toMatch(/^fm_[\w-]{43}$/);
  expect(readFileSync(file, "utf8")).not.toContain(added);
  daemon.kill("SIGHUP");

  const statusOf = async (token: string) => (await caller(url, token)("GET /api/tags")).status;
  await until("the new token works", async () => (await statusOf(added)) === 200);
  expect(await statusOf(old)).toBe(401);
  const before = stream.text.length;
  await until("the stream goes on", () => stream.text.length > before);
  const status = (await caller(url, added)("GET /foreman/status")).text;
  await until("the log has it", () => daemon.output.includes("tokens read anew"));
  for (const secret of [old, added]) expect(daemon.output + status).not.toContain(secret);
  stream.leave();
});

test("of six tokens that are added at once, each that was printed is in the file", async () => {
  const { file } = tokensFile();
  const add = (name: string) =>
    promisify(execFile)(process.execPath, ["src/main.js", "token", "add", name, "--file", file]);

  const added = await Promise.allSettled(["a", "b", "c", "d", "e", "f"].map(add));

  const printed = added.flatMap((each) =>
    each.status === "fulfilled" ? [hashOf(each.value.stdout.trim())] : [],
  );
  expect(printed.length).toBeGreaterThan(0);
  for (const hash of printed) expect(readFileSync(file, "utf8")).toContain(hash);
  for (const each of added) {
    if (each.status === "rejected") {
      expect(each.reason).toMatchObject({ stderr: expect.stringContaining("is under way") });
    }
  }
}, 60_000);
