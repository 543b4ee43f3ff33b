import { once } from "node:events";
import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerOf } from "../support/answer-of.ts";
import { scriptedModel as model, startScriptedTarget } from "../support/scripted-target.ts";
import { startForeman } from "../support/start-foreman.ts";

const chat = { model, messages: [{ role: "user", content: "hi" }] };
const lastLine = `{"model":"${model}","done":true,"total_duration":1}`;

describe("S4: the bytes of a stream pass as they are", () => {
  test.each([
    ["a line of 5 MB", [`{"response":"${"x".repeat(5 * 2 ** 20)}"}\n`, `${lastLine}\n`]],
    ["a last line of 5 MB", [`{"context":[${"1,".repeat(2.5 * 2 ** 20)}1],${lastLine.slice(1)}\n`]],
    ["lines that end in CRLF", ['{"response":"a"}\r\n', `${lastLine}\r\n`]],
    ["no final newline", ['{"response":"a"}\n', lastLine]],
    ["many lines in one chunk", [`{"response":"a"}\n{"response":"b"}\n${lastLine}\n`]],
    ["a line of bytes that are no UTF-8", ['{"response":"\xff\xfe"}\n', `${lastLine}\n`]],
  ])("%s", async (_, pieces) => {
    const url = await startScriptedTarget((_request, response) => stream(response, pieces));
    const foreman = await startForeman(url);

    const answer = await answerOf(foreman.port, "/api/chat", chat);

    expect(answer.isWhole).toBe(true);
    expect(answer.body === pieces.join("")).toBe(true);
    expect(foreman.logged.map(({ msg }) => msg)).toContain("job done");
  });

  test("characters that are split anywhere", async () => {
    let pieces: readonly string[] = [];
    const url = await startScriptedTarget((_request, response) => stream(response, pieces));
    const foreman = await startForeman(url);
    const splits = fc.array(fc.nat({ max: 60 }), { maxLength: 12 });
    const texts = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

    await fc.assert(
      fc.asyncProperty(texts, splits, async (text, at) => {
        const whole = latin1(`${JSON.stringify({ response: text, done: false })}\n${lastLine}\n`);
        pieces = cut(whole, at);

        const answer = await answerOf(foreman.port, "/api/chat", chat);

        expect(answer.body).toBe(whole);
        expect(answer.chunks).toEqual(pieces);
      }),
      { numRuns: 40 },
    );
  });
});

describe("S5: a target that dies within its answer never leaves one that looks whole", () => {
  const line = (n: number) => `{"model":"${model}","response":"word ${n}","done":false}\n`;
  const ndjson = Array.from({ length: 15 }, (_, n) => line(n)).concat(`${lastLine}\n`);
  const event = (n: number) => `data: {"choices":[{"delta":{"content":"word ${n}"}}]}\n\n`;
  const sse = Array.from({ length: 16 }, (_, n) => event(n)).concat("data: [DONE]\n\n");
  const json = `{"model":"${model}","response":"${"word ".repeat(200)}","done":true}`;
  const isSse = { stream: true };
  const isWhole = { stream: false };

  test.each([
    ["a stream of lines", "/api/chat", chat, chunked("application/x-ndjson", ndjson)],
    ["a stream of events", "/v1/chat/completions", isSse, chunked("text/event-stream", sse)],
    ["a whole answer", "/api/chat", isWhole, delimited(json)],
    ["a whole answer in chunks", "/api/chat", isWhole, chunked("application/json", [json])],
  ])(
    "%s, at each of its bytes",
    async (_, path, more, reply) => {
      const url = await startScriptedTarget(({ headers, socket }, _response, body) => {
        // Foreman adds headers and removes some, so that the cut is told in the body.
        expect(headers["content-length"]).toBe(String(body.length));
        socket.end(Buffer.from(reply.slice(0, JSON.parse(body.toString()).cutAt), "latin1"));
      });
      const foreman = await startForeman(url, {
        FOREMAN_CHAT_SLOTS: "16",
        FOREMAN_MAX_ATTEMPTS: "1",
        FOREMAN_LOG_LEVEL: "error",
      });

      const mistaken: number[] = [];
      let cutAt = 0;
      const worker = async () => {
        while (cutAt < reply.length) {
          const at = cutAt;
          cutAt += 1;
          const answer = await answerOf(foreman.port, path, { ...chat, ...more, cutAt: at });
          const isError = answer.statusLine === "HTTP/1.1 502 Bad Gateway" && answer.isWhole;
          const isCut = answer.statusLine === "HTTP/1.1 200 OK" && !answer.isWhole;
          const marker = /"done":true|\[DONE\]/;
          const isMarked = marker.test(answer.body) && !marker.test(reply.slice(0, at));
          if (isError === isCut || isMarked) mistaken.push(at);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));

      expect(reply.length).toBeGreaterThan(1_000);
      expect(mistaken).toEqual([]);
    },
    30_000,
  );
});

/** One HTTP chunk a piece, each in a packet of its own as far as that can be. */
async function stream(response: ServerResponse, pieces: readonly string[]): Promise<void> {
  response.setHeader("Content-Type", "application/x-ndjson");
  for (const piece of pieces) {
    if (!response.write(piece, "latin1")) await once(response, "drain");
    await new Promise(setImmediate);
  }
  response.end();
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [0, ...new Set(at.filter((place) => place < text.length))].sort((a, b) => a - b);
  return places.map((place, i) => text.slice(place, places[i + 1])).filter((piece) => piece !== "");
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function chunked(contentType: string, pieces: readonly string[]): string {
  const coding = "Transfer-Encoding: chunked";
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n${coding}\r\n\r\n`;
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  return `${head}${chunks.join("")}0\r\n\r\n`;
}

function delimited(body: string): string {
  const length = `Content-Length: ${body.length}`;
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${length}\r\n\r\n${body}`;
}
