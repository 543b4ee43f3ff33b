import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { swaps } from "../../test/support/sim-ollama/journal-queries.ts";
import type { SimOllama } from "../../test/support/sim-ollama/sim-ollama.ts";
import { ask, connectTo } from "../ask.ts";
import { startPeer } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { median, plain, withSpread } from "../statistics.ts";
import { answerMs, jobs, loadMs, models, shuffled, startThreeModels } from "../three-models.ts";

/** The least that three models can do with. */
const leastSwaps = models.length - 1;
const moreSwapsMax = 2;
const makespanMax = 1.1;

/** How the jobs reach the target. */
const ways = ["optimum", "first come, first served", "Ollama itself", "foreman"] as const;
type Way = (typeof ways)[number];

type Played = { readonly swaps: number; readonly makespanMs: number };

export const modelSwaps: Row = {
  number: 5,
  what: `three models, shuffled, ${jobs} jobs, a load as long as ten answers: swaps and makespan`,
  yardstick: "the best order; first come, first served; Ollama's own queue",
  bar: `swaps ≤ optimum + ${moreSwapsMax}; makespan ≤ ${makespanMax} × optimum`,
  run: measure,
};

async function measure({ isQuick }: Bench): Promise<RowResult> {
  const played = new Map<Way, Played[]>(ways.map((way) => [way, []]));
  for (let round = 0; round < (isQuick ? 1 : 2); round += 1) {
    const order = shuffled(`round ${round}`);
    for (const way of ways) played.get(way)?.push(await play(way, order));
  }
  return result(played);
}

async function play(way: Way, order: readonly string[]): Promise<Played> {
  const sim = await startThreeModels();
  try {
    const makespanMs = await makespan(way, order, sim);
    return { swaps: swaps(sim.journal.events), makespanMs };
  } finally {
    await sim.stop();
  }
}

async function makespan(way: Way, order: readonly string[], sim: SimOllama): Promise<number> {
  switch (way) {
    case "optimum":
      return await inTurn(order.toSorted(), sim.url);
    case "first come, first served":
      return await inTurn(order, sim.url);
    case "Ollama itself":
      return await atOnce(order, sim.url);
    case "foreman": {
      const folder = mkdtempSync(join(tmpdir(), "foreman-bench-"));
      const foreman = await startPeer("foreman", { targetPort: sim.port, folder });
      try {
        return await atOnce(order, foreman.origin);
      } finally {
        await foreman.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    }
    default:
      return way satisfies never;
  }
}

/** One after the other, on one connection. */
async function inTurn(order: readonly string[], origin: string): Promise<number> {
  const client = connectTo(origin);
  const startedAtMs = performance.now();
  for (const model of order) await ask(client, chatOf(model));
  const tookMs = performance.now() - startedAtMs;
  await client.close();
  return tookMs;
}

/** All at once, in that order, each on a connection of its own. */
async function atOnce(order: readonly string[], origin: string): Promise<number> {
  const startedAtMs = performance.now();
  const answers = await Promise.all(
    order.map(async (model) => {
      const client = connectTo(origin);
      const { statusCode } = await ask(client, chatOf(model));
      await client.close();
      return statusCode;
    }),
  );
  const refused = answers.filter((statusCode) => statusCode !== 200).length;
  if (refused > 0) throw new Error(`${refused} of ${jobs} jobs were refused`);
  return performance.now() - startedAtMs;
}

function chatOf(model: string) {
  const messages = [{ role: "user", content: "Why?" }];
  return { path: "/api/chat", body: JSON.stringify({ model, messages }) };
}

function result(played: ReadonlyMap<Way, readonly Played[]>): RowResult {
  const of = (way: Way) => played.get(way) ?? [];
  const ratios = (way: Way) =>
    of(way).map(({ makespanMs }, round) => makespanMs / (of("optimum")[round]?.makespanMs ?? 0));
  const most = Math.max(...of("foreman").map((one) => one.swaps));
  const ratio = median(ratios("foreman"));
  const isMet = most <= leastSwaps + moreSwapsMax && ratio <= makespanMax;
  return {
    measured: `${most} swaps at most; ${plain(ratio, 2)} × optimum`,
    verdict: isMet ? "met" : "missed",
    missing: [],
    plots: [
      {
        name: "model-swaps",
        title: `${jobs} shuffled jobs of three models: all done in`,
        unit: "× the best order",
        bars: ways.map((way) => ({ name: way, value: median(ratios(way)) })),
        limit: makespanMax,
        decimals: 2,
      },
    ],
    table: {
      head: ["way", "swaps", "makespan ms", "× optimum"],
      rows: ways.map((way) => [
        way,
        withSpread(
          of(way).map((one) => one.swaps),
          0,
        ),
        withSpread(
          of(way).map((one) => one.makespanMs),
          0,
        ),
        withSpread(ratios(way), 2),
      ]),
    },
    method:
      `A simulated Ollama with room for one model; a load takes ${loadMs} ms, an answer ` +
      `${answerMs} ms, which stands for 5 s and 0.5 s. The order is another one in each ` +
      "round, the same for all ways. The optimum asks for one model's jobs after the other's, one " +
      "at a time, straight at the simulator; first come, first served asks in the shuffled order. " +
      "The other two get all jobs at once. A swap is a generation on another model than the one " +
      "before it, by the simulator's journal.",
  };
}
