import { expect, test } from "vitest";
import type { CorpusExchange } from "../support/corpus-exchange.ts";
import { exchangeCorpus } from "../support/exchange-corpus.ts";
import { moduloTime } from "../support/modulo-time.ts";
import { RawClient } from "../support/raw-client.ts";
import type { ModelInit } from "../support/sim-ollama/model-spec.ts";
import { startTwins } from "../support/twin-targets.ts";
import { parseWireAnswer } from "../support/wire-answer.ts";

/*
 * Each exchange is sent over a socket of its own to one target, and through foreman to its twin.
 * The answers must be equal in status, headers, framing, chunk boundaries and bytes, apart from
 * times, durations, drawn ids, and what belongs to one connection.
 */

const corpus = exchangeCorpus({
  chat: "llama3.2",
  thinking: "qwen3:8b",
  embedding: "nomic-embed-text",
});

test(`answers ${corpus.length} exchanges as the target does`, async () => {
  const { behind, direct, foreman } = await startTwins({ models: models() });

  const differing = [];
  for (const exchange of corpus) {
    const expected = await answerTo(exchange, direct.port);
    const answer = await answerTo(exchange, foreman.port);
    if (JSON.stringify(answer) !== JSON.stringify(expected)) {
      differing.push({ name: exchange.name, expected, answer });
    }
  }

  expect(corpus.length).toBeGreaterThanOrEqual(60);
  expect(differing).toEqual([]);
  expect(behind.loaded).toEqual(direct.loaded);
}, 60_000);

/** So many that /api/tags outgrows Go's buffer and is chunked, and /v1/models does not. */
function models(): ModelInit[] {
  const quick = { loadMs: 2, tokenMs: 0, embeddingLength: 16 };
  return [
    { name: "llama3.2:latest", ...quick },
    { name: "qwen3:8b", ...quick, capabilities: ["completion", "thinking"] },
    { name: "nomic-embed-text:latest", ...quick, capabilities: ["embedding"] },
    ...["gemma3:4b", "someone/else:v1", "hf.co/org/repo:Q4_K_M"].map((name) => ({ name })),
  ];
}

async function answerTo({ isHead, request }: CorpusExchange, port: number) {
  const client = new RawClient(port);
  client.send(request);
  await client.over();
  client.leave();
  const answer = parseWireAnswer(client.text, isHead);
  const { chunks, framing, isWhole, rest, statusLine } = answer;
  const headers = answer.headers.filter(([name]) => isCompared(name, request)).map(moduloLength);
  return {
    statusLine,
    headers: headers.sort(),
    ...{ framing, isWhole, rest },
    chunks: chunks.map(moduloTime),
  };
}

/**
 * Not what belongs to one connection, and not `Allow` in answers to OPTIONS, which gin adds to
 * preflights that its CORS layer has answered already.
 */
function isCompared(name: string, request: Buffer): boolean {
  if (name === "Allow" && request.toString().startsWith("OPTIONS")) return false;
  return !/^(date|connection|keep-alive|x-foreman-.*)$/i.test(name);
}

/** Durations are of different lengths; that a length is true is told by `isWhole`. */
function moduloLength([name, value]: readonly [string, string]): string {
  const isLength = name.toLowerCase() === "content-length" && value !== "0";
  return isLength ? `${name}: N` : `${name}: ${value}`;
}
