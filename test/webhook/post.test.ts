/** One try at a time, to real HTTP servers on loopback. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import { Destinations } from "../../src/webhook/destinations.ts";
import { createPost, type Receipt } from "../../src/webhook/post.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { answersWith, Receiver, staysSilent } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const never = new AbortController().signal;
const allowed = [{ host: "127.0.0.1", isWildcard: false, port: "any" }] as const;
const resolve = async () => {
  throw new Error("an address has no name to look up");
};

type Options = { readonly clock?: Clock; readonly cut?: AbortSignal };

function post(url: string, { clock = systemClock, cut = never }: Options = {}): Promise<Receipt> {
  const destinations = new Destinations(allowed);
  const send = createPost({ destinations, resolve, clock, key: null });
  return send({ id: "msg_1", url, body: Buffer.from('{"state":"done"}') }, cut);
}

/** A server of bytes: each connection is handed to `serve` once a request began to come. */
async function tcpServer(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => serve(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
}

const failure = { kind: "failed", retryAfterMs: null };

describe("a receiver's answer", () => {
  test.each([200, 201, 202, 204, 299])("%i says that it was received", async (status) => {
    const receiver = await Receiver.open(answersWith(status));

    expect(await post(receiver.url)).toEqual({ kind: "received" });
  });

  test("410 says that it wants to hear no more", async () => {
    const receiver = await Receiver.open(answersWith(410));

    expect(await post(receiver.url)).toEqual({ kind: "gone" });
  });

  test.each([400, 401, 404, 408, 429, 500, 502, 503])("%i is a failed try", async (status) => {
    const receiver = await Receiver.open(answersWith(status));

    const problem = `the receiver answered ${status}`;
    expect(await post(receiver.url)).toEqual({ ...failure, problem });
  });

  test.each([301, 302, 303, 307, 308])("A9: %i is not followed", async (status) => {
    const inside = await Receiver.open();
    const receiver = await Receiver.open(answersWith(status, { Location: inside.url }));

    expect(await post(receiver.url)).toEqual({
      ...failure,
      problem: `the receiver answered ${status}, and redirects are not followed`,
    });
    expect(inside.received).toEqual([]);
  });

  test("may ask for a rest, in seconds or until a date", async () => {
    const clock = new ManualClock();
    const date = new Date(clock.wallMs() + 90_000).toUTCString();
    const asked: (number | null)[] = [];
    for (const value of ["120", date, "soon", "-5", "0"]) {
      const receiver = await Receiver.open(answersWith(503, { "Retry-After": value }));
      const receipt = await post(receiver.url, { clock });
      if (receipt.kind === "failed") asked.push(receipt.retryAfterMs);
    }

    expect([asked[0], asked[2], asked[3], asked[4]]).toEqual([120_000, null, null, 0]);
    expect(Math.abs((asked[1] ?? 0) - 90_000)).toBeLessThanOrEqual(1_000);
  });

  test("A9: is read no further than 64 KiB, and has been given by then", async () => {
    let isCutOff = false;
    let sentBytes = 0;
    const receiver = await Receiver.open((_received, response) => {
      response.writeHead(200);
      response.on("close", () => {
        isCutOff = true;
      });
      const more = () => {
        while (!response.destroyed) {
          sentBytes += 16_384;
          if (!response.write(Buffer.alloc(16_384))) break;
        }
      };
      response.on("drain", more);
      more();
    });

    expect(await post(receiver.url)).toEqual({ kind: "received" });
    await until("it is cut off", () => isCutOff);
    // What the kernel takes in between is its own affair.
    expect(sentBytes).toBeLessThan(16 * 2 ** 20);
  });

  test("that breaks off after its head was given all the same", async () => {
    const url = await tcpServer((socket) => {
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });

    expect(await post(url)).toEqual({ kind: "received" });
  });

  test.each([
    ["nonsense", "nonsense\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n`],
    ["nothing", ""],
    ["an informational answer alone", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ])("that is %s is a failed try", async (_kind, bytes) => {
    const url = await tcpServer((socket) => void socket.end(bytes));

    expect(await post(url)).toMatchObject({ kind: "failed", problem: expect.stringMatching(/./) });
  });
});

describe("a try", () => {
  test("ends after 15 s without an answer, however slow it drips", async () => {
    const clock = new ManualClock();
    const silent = await Receiver.open(staysSilent);
    const dripping = await tcpServer((socket) => void socket.write("HTTP/1.1 20"));

    for (const url of [silent.url, dripping]) {
      let receipt: Receipt | null = null;
      void post(url, { clock }).then((outcome) => {
        receipt = outcome;
      });
      await until("it is under way", () => clock.pendingCount === 1);
      if (url === silent.url) await until("it came", () => silent.received.length === 1);
      await clock.advance(14_999);
      expect(receipt).toBeNull();
      await clock.advance(1);
      await until("it ends", () => receipt !== null);

      expect(receipt).toEqual({ ...failure, problem: "no answer within 15 s" });
      expect(clock.pendingCount).toBe(0);
    }
  });

  test("is cut from here without a verdict", async () => {
    const receiver = await Receiver.open(staysSilent);
    const cut = new AbortController();

    const receipt = post(receiver.url, { cut: cut.signal });
    await until("it came", () => receiver.received.length === 1);
    cut.abort();

    expect(await receipt).toEqual({ kind: "cut" });
    expect(await post(receiver.url, { cut: cut.signal })).toEqual({ kind: "cut" });
    expect(receiver.received.length).toBe(1);
  });

  test("at nobody says so", async () => {
    const receiver = await Receiver.open();
    await receiver.down();

    expect(await post(receiver.url)).toMatchObject({
      problem: `connect ECONNREFUSED 127.0.0.1:${receiver.port}`,
    });
  });

  test("A9: to a host that is no longer allowed is not made", async () => {
    expect(await post("http://elsewhere.test/x")).toEqual({
      ...failure,
      problem: "the URL names elsewhere.test:80, which is not in FOREMAN_WEBHOOK_ALLOW",
    });
  });

  test("leaves no connection open behind it", async () => {
    let open = 0;
    const receiver = await Receiver.open((_received, response) => {
      open += 1;
      response.socket?.on("close", () => {
        open -= 1;
      });
      response.writeHead(200).end("thanks");
    });

    for (let i = 0; i < 3; i++) await post(receiver.url);

    await until("all are closed", () => open === 0);
    expect(receiver.received.length).toBe(3);
  });
});
