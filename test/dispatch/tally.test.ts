import { describe, expect, test } from "vitest";
import { type Tally, TallyKeeper } from "../../src/dispatch/tally.ts";

function tallyOf(
  route: string,
  contentType: string,
  pieces: readonly string[],
  statusCode = 200,
): Tally {
  const rawHeaders = ["content-type", contentType];
  const keeper = new TallyKeeper(route, {
    statusCode,
    statusText: "OK",
    rawHeaders,
    isDelimited: true,
  });
  for (const piece of pieces) keeper.chunk(Buffer.from(piece));
  return keeper.read();
}

const lines = "application/x-ndjson";
const events = "text/event-stream";
const json = "application/json; charset=utf-8";
const part = '{"message":{"content":"a"},"done":false}\n';
const last =
  '{"message":{"content":""},"done":true,"total_duration":9000000,"load_duration":2500000,' +
  '"prompt_eval_count":11,"eval_count":22,"eval_duration":1500000}\n';

describe("whether an answer came to its end", () => {
  test.each([
    ["native stream", "/api/chat", lines, [part, last], true],
    ["native stream, cut between two lines", "/api/chat", lines, [part, part], false],
    [
      "native stream, cut inside its last line",
      "/api/chat",
      lines,
      [part, last.slice(0, -9)],
      false,
    ],
    ["native stream, ended by an error", "/api/chat", lines, [part, '{"error":"oom"}\n'], false],
    ["native whole", "/api/generate", json, [last.trim()], true],
    ["native whole, cut", "/api/generate", json, [last.slice(0, 40)], false],
    ["nothing at all", "/api/chat", lines, [], false],
    ["chat events", "/v1/chat/completions", events, ["data: {}\n\n", "data: [DONE]\n\n"], true],
    ["chat events, cut", "/v1/chat/completions", events, ['data: {"id":1}\n\n'], false],
    ["chat events, cut in the mark", "/v1/completions", events, ["data: {}\n\ndata: [DON"], false],
    [
      "a chat that speaks of the mark",
      "/v1/completions",
      events,
      ['data: {"a":"[DONE]"}\n'],
      false,
    ],
    [
      "responses",
      "/v1/responses",
      events,
      ['event: response.completed\ndata: {"type":"response.completed"}\n\n'],
      true,
    ],
    ["responses, cut", "/v1/responses", events, ['data: {"type":"response.created"}\n\n'], false],
    ["messages", "/v1/messages", events, ['data: {"type":"message_stop"}\n\n'], true],
    ["messages, cut", "/v1/messages", events, ['data: {"type":"message_delta"}\n\n'], false],
    ["whole JSON", "/v1/chat/completions", json, ['{"choices":[]}\n'], true],
    ["whole JSON, cut", "/v1/chat/completions", json, ['{"choices":['], false],
    ["a transcript", "/v1/audio/transcriptions", "text/plain", ["hello"], true],
  ] as const)("%s", (_, route, contentType, pieces, isComplete) => {
    expect(tallyOf(route, contentType, pieces).isComplete).toBe(isComplete);
  });

  test.each([1, 2, 7, 64])("does not depend on where the pieces end: every %i bytes", (size) => {
    const text = part + part + last;
    const pieces = text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];

    expect(tallyOf("/api/chat", lines, pieces)).toEqual({
      isComplete: true,
      error: null,
      promptTokens: 11,
      completionTokens: 22,
      loadMs: 2.5,
      evalMs: 1.5,
    });
  });

  test.each([
    { bytes: 60_000, what: "is kept whole" },
    { bytes: 200_000, what: "lost its beginning" },
  ])("is seen in a last line of $bytes bytes, which $what", ({ bytes }) => {
    const context = Array.from({ length: bytes / 5 }, () => "1234").join(",");
    const line =
      `{"response":"","done":true,"context":[${context}],"total_duration":5,` +
      '"load_duration":1000000,"prompt_eval_count":3,"eval_count":4}';
    const pieces = line.match(/.{1,4096}/g) ?? [];

    expect(tallyOf("/api/generate", lines, [part, ...pieces])).toMatchObject({
      isComplete: true,
      promptTokens: 3,
      completionTokens: 4,
    });
    expect(tallyOf("/api/generate", lines, [part, ...pieces.slice(0, -1)]).isComplete).toBe(false);
  });
});

describe("the tokens of an answer", () => {
  test.each([
    ["/api/chat", lines, last, 11, 22],
    ["/v1/completions", json, '{"usage":{"prompt_tokens":5,"completion_tokens":6}}', 5, 6],
    ["/v1/messages", json, '{"usage":{"input_tokens":7,"output_tokens":8}}', 7, 8],
    ["/v1/completions", json, '{"choices":[]}', null, null],
  ])("are read from %s", (route, contentType, text, promptTokens, completionTokens) => {
    expect(tallyOf(route, contentType, [text])).toMatchObject({ promptTokens, completionTokens });
  });

  test("are the last that were told, and none that the model only writes about", () => {
    const text = JSON.stringify({ choices: [{ text: '{"completion_tokens":999}' }] });

    const tally = tallyOf("/v1/chat/completions", events, [
      'data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n',
      'data: {"usage":{"prompt_tokens":1,"completion_tokens":30}}\n\n',
      `data: ${text}\n\ndata: [DONE]\n\n`,
    ]);

    expect(tally).toMatchObject({ promptTokens: 1, completionTokens: 30, loadMs: null });
  });
});

describe("the tokens that have passed", () => {
  const passed = (contentType: string, pieces: readonly string[]) => {
    const rawHeaders = ["content-type", contentType];
    const head = { statusCode: 200, statusText: "OK", rawHeaders, isDelimited: true };
    const keeper = new TallyKeeper("/api/chat", head);
    for (const piece of pieces) keeper.chunk(Buffer.from(piece));
    return keeper.parts;
  };

  test.each([
    ["lines of a native stream", lines, [part, part + part, last], 4],
    ["lines that come in halves", lines, [part.slice(0, 9), part.slice(9), part], 2],
    ["events", events, ['data: {"a":"x"}\n\n', "event: b\ndata: {}\n\ndata: [DONE]\n\n"], 3],
    ["no events that the model writes about", events, ['data: {"a":"\\n\\n"}\n\n'], 1],
  ] as const)("are estimated by the %s", (_, contentType, pieces, count) => {
    expect(passed(contentType, pieces)).toBe(count);
  });

  test("are unknown of an answer that comes in one piece", () => {
    expect(passed(json, ['{"a":1}\n'])).toBeNull();
  });
});

describe("the error of an answer", () => {
  test.each([
    ["/api/chat", 200, `${part}{"error":"oom"}\n`, "oom"],
    ["/api/chat", 500, '{"error":"oom"}', "oom"],
    ["/v1/chat/completions", 500, '{"error":{"message":"oom","type":"api_error"}}', "oom"],
    ["/v1/messages", 529, '{"type":"error","error":{"message":"oom"}}', "oom"],
    ["/v1/completions", 500, "<html>Bad Gateway</html>", null],
    ["/v1/completions", 200, '{"error":"a word of the model\'s"}', null],
    ["/api/chat", 500, `{"error":"${"o".repeat(1_001)}"}`, "o".repeat(1_000)],
  ])("of %s with %i is the target's words, if they are its own", (route, status, text, error) => {
    expect(tallyOf(route, json, [text], status).error).toBe(error);
  });
});
