import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { answerOf } from "../support/answer-of.ts";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { PausedReader } from "../support/paused-reader.ts";
import { scriptedModel as model, startScriptedTarget } from "../support/scripted-target.ts";
import { startForeman } from "../support/start-foreman.ts";
import { until } from "../support/until.ts";

/*
 * The daemon is a process of its own where its memory is looked at. What the target has sent is
 * what its socket took, which is more than foreman holds: the kernel's buffers on both sides come
 * on top, and grow to several MB each.
 */

const mebibyte = 2 ** 20;
const kernelBytesMax = 16 * mebibyte;
const lastLine = `{"model":"${model}","done":true,"total_duration":1}\n`;
const piece = Buffer.from(`{"model":"${model}","response":"${"x".repeat(65_485)}"}\n`);
const wholeEnd = /\}\n\r\n0\r\n\r\n$/;
const chat = JSON.stringify({ model, prompt: "hi" });

test("S3: a generation passes a client that does not read, cut off at 16 MiB", async () => {
  const flood = { sentBytes: 0, isClosed: false };
  const url = await startScriptedTarget(({ url }, response) =>
    url === "/api/chat" ? pour(response, 400 * mebibyte, flood) : response.end(lastLine),
  );
  const daemon = await startDaemon(url);
  const idleBytes = daemon.residentBytes();

  const client = new PausedReader(daemon.port, "POST", "/api/chat", chat);
  await until("the client is cut off", () => flood.isClosed, 10_000);

  expect(flood.sentBytes).toBeGreaterThan(16 * mebibyte);
  expect(flood.sentBytes).toBeLessThan(16 * mebibyte + kernelBytesMax);
  expect(daemon.residentBytes() - idleBytes).toBeLessThan(48 * mebibyte);
  await until("it is logged", () => daemon.process.output.includes('"reason":"client_too_slow"'));
  client.resume();
  await until("the client sees that it was cut off", () => client.isClosed);
  expect(client.tail).not.toContain("done");
  const body = { model, prompt: "hi" };
  const next = await answerOf(daemon.port, "/api/generate", body);
  expect(next.statusLine).toBe("HTTP/1.1 200 OK");
});

test("S3: a client that lags by less gets all, though the target has long ended", async () => {
  const flood = { sentBytes: 0, isClosed: false };
  const url = await startScriptedTarget((_, response) => pour(response, 12 * mebibyte, flood));
  const foreman = await startForeman(url);

  const client = new PausedReader(foreman.port, "POST", "/api/chat", chat);
  await until("the job is done", () => foreman.logged.some(({ msg }) => msg === "job done"));
  expect(client.receivedBytes).toBe(0);
  client.resume();
  await until("it has come", () => client.isClosed);

  expect(client.receivedBytes).toBeGreaterThan(12 * mebibyte);
  expect(client.tail).toMatch(wholeEnd);
});

test("S3: an answer that bypasses the queue is held at its client's pace", async () => {
  const flood = { sentBytes: 0, isClosed: false };
  const url = await startScriptedTarget((_, response) => pour(response, 400 * mebibyte, flood));
  const daemon = await startDaemon(url);
  const idleBytes = daemon.residentBytes();

  const client = new PausedReader(daemon.port, "POST", "/api/show", chat);
  await until("the target is held", () => flood.sentBytes > 0 && standsStill(flood));
  const heldAtBytes = flood.sentBytes;
  const heldResidentBytes = daemon.residentBytes();
  client.resume();
  await until("the rest has come", () => client.isClosed, 15_000);

  expect(heldAtBytes).toBeLessThan(16 * mebibyte);
  expect(heldResidentBytes - idleBytes).toBeLessThan(32 * mebibyte);
  expect(client.receivedBytes).toBeGreaterThan(400 * mebibyte);
  expect(client.tail).toMatch(wholeEnd);
});

test("S8: a compressed answer, be it a bomb, passes as it is", async () => {
  const bomb = gzipSync(Buffer.alloc(256 * mebibyte), { level: constants.Z_BEST_SPEED });
  const url = await startScriptedTarget((_, response) => {
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    response.writeHead(200, { ...headers, "Content-Length": bomb.length }).end(bomb);
  });
  const daemon = await startDaemon(url);
  const idleBytes = daemon.residentBytes();

  for (const path of ["/api/show", "/api/chat"]) {
    const answer = await answerOf(daemon.port, path, { model, prompt: "hi" });

    expect(answer.headers).toContainEqual(["Content-Encoding", "gzip"]);
    expect(answer.body === bomb.toString("latin1")).toBe(true);
  }
  expect(daemon.residentBytes() - idleBytes).toBeLessThan(32 * mebibyte);
});

test("S9: 200 clients that do not read hold up neither the target nor one that does", async () => {
  let ended = 0;
  const url = await startScriptedTarget(async (_request, response, body) => {
    const { bytes } = JSON.parse(body.toString());
    await pour(response, bytes, { sentBytes: 0, isClosed: false });
    ended += 1;
  });
  const foreman = await startForeman(url, { FOREMAN_LOG_LEVEL: "error" });

  const slow = Array.from({ length: 200 }, (_, i) => {
    // Each tenth is owed more than the sockets on its way can take.
    const bytes = i % 10 === 0 ? 8 * mebibyte : mebibyte / 8;
    return new PausedReader(foreman.port, "POST", "/api/chat", JSON.stringify({ model, bytes }));
  });
  const fast = await answerOf(foreman.port, "/api/chat", { model, bytes: mebibyte }, 15_000);

  expect(fast.isWhole).toBe(true);
  expect(fast.body.endsWith(lastLine)).toBe(true);
  await until("all generations have ended", () => ended === slow.length + 1, 15_000);
  expect(slow.filter(({ receivedBytes }) => receivedBytes > 0)).toEqual([]);
  for (const client of slow) client.resume();
  await until("all have theirs", () => slow.every(({ isClosed }) => isClosed), 15_000);
  expect(slow.filter(({ tail }) => wholeEnd.test(tail)).length).toBe(slow.length);
});

type Flood = { sentBytes: number; isClosed: boolean };

/** Writes lines as fast as they are taken, until so many bytes are sent or nobody takes them. */
async function pour(response: ServerResponse, bytes: number, flood: Flood): Promise<void> {
  response.setHeader("Content-Type", "application/x-ndjson");
  let goOn = () => {};
  response.on("drain", () => goOn());
  response.on("close", () => {
    flood.isClosed = true;
    goOn();
  });
  while (flood.sentBytes < bytes && !flood.isClosed) {
    flood.sentBytes += piece.length;
    if (response.write(piece)) continue;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  }
  response.end(lastLine);
}

/** Whether nothing was sent for a while: what is full stays full. */
async function standsStill(flood: Flood): Promise<boolean> {
  const before = flood.sentBytes;
  await new Promise((resolve) => setTimeout(resolve, 200));
  return flood.sentBytes === before;
}

type Daemon = {
  readonly process: DaemonProcess;
  readonly port: number;
  residentBytes(): number;
};

async function startDaemon(targetUrl: string): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-test-"));
  const port = await freePort();
  const daemon = new DaemonProcess({
    FOREMAN_ADDR: `127.0.0.1:${port}`,
    FOREMAN_OLLAMA_URL: targetUrl,
    FOREMAN_DB: join(folder, "foreman.db"),
  });
  onTestFinished(async () => {
    daemon.kill("SIGKILL");
    await daemon.exited();
    await rm(folder, { recursive: true, force: true });
  });
  await daemon.listening(`http://127.0.0.1:${port}`);
  return { process: daemon, port, residentBytes: () => residentBytesOf(daemon.child.pid ?? 0) };
}

/** From /proc; where there is none (not on Linux), memory is not looked at. */
function residentBytesOf(pid: number): number {
  if (process.platform !== "linux") return 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}
