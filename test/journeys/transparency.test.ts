import { expect, test } from "vitest";
import { compareExchange } from "../support/compare-exchanges.ts";
import { exchangeCorpus } from "../support/exchange-corpus.ts";
import type { ModelInit } from "../support/sim-ollama/model-spec.ts";
import { startTwins } from "../support/twin-targets.ts";

/*
 * Each exchange is sent over a socket of its own to one target, and through foreman to its twin.
 * The answers must be equal in status, headers, framing, chunk boundaries and bytes, apart from
 * times, durations, drawn ids, and what belongs to one connection.
 */

const corpus = exchangeCorpus(
  {
    ...{ chat: "llama3.2", tools: "llama3.2", thinking: "qwen3:8b" },
    embedding: "nomic-embed-text",
  },
  { ownStem: "corpus", cloud: true },
);

test(`H10 answers ${corpus.length} exchanges as the target does`, async () => {
  const { behind, direct, foreman } = await startTwins({ models: models() });

  const sides = {
    direct: { host: "127.0.0.1", port: direct.port },
    via: { host: "127.0.0.1", port: foreman.port },
    withinMs: 5_000,
  };
  const compared = [];
  for (const each of corpus) compared.push(await compareExchange(each, each, sides));

  expect(corpus.length).toBeGreaterThanOrEqual(250);
  expect(compared.filter(({ tries, verdict }) => verdict !== "equal" || tries > 1)).toEqual([]);
  expect(behind.loaded).toEqual(direct.loaded);
}, 120_000);

/** So many that /api/tags outgrows Go's buffer and is chunked, and /v1/models does not. */
function models(): ModelInit[] {
  const quick = { loadMs: 2, tokenMs: 0, embeddingLength: 16 };
  return [
    { name: "llama3.2:latest", ...quick, capabilities: ["completion", "tools"] },
    { name: "qwen3:8b", ...quick, capabilities: ["completion", "thinking"] },
    { name: "nomic-embed-text:latest", ...quick, capabilities: ["embedding"] },
    ...["gemma3:4b", "someone/else:v1", "hf.co/org/repo:Q4_K_M"].map((name) => ({ name })),
  ];
}
