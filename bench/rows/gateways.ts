import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectTo } from "../ask.ts";
import {
  embedConnections,
  embedRate,
  firstByteMs,
  linesPerCpuSecond,
  personWaits,
  scripted,
  streams,
  swapsOf,
} from "../gateway-measures.ts";
import { note, onFastTarget, type Running, started, yardstick } from "../gateway-stage.ts";
import { gateways } from "../gateways.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { median, percentile, plain } from "../statistics.ts";
import { answerMs, jobs, models, shuffled, startThreeModels } from "../three-models.ts";

const restMs = 10;

export const otherGateways: Row = {
  number: 13,
  what: "foreman beside other people's gateways and queues, in front of the same target",
  yardstick: "the others",
  bar: "none: told",
  run: measure,
};

type Figures = {
  firstByteMs: number[];
  embedsPerSecond: number[];
  linesPerCpuSecond: number[];
  swaps: number;
  makespanMs: number;
  personWaits: number;
};

async function measure(bench: Bench): Promise<RowResult> {
  const figures = new Map<string, Figures>();
  const missing: string[] = [];
  await onFastTarget(missing, (subjects) => measureFast(subjects, { figures, missing, bench }));
  for (const name of ["direct", "foreman", ...gateways.map((gateway) => gateway.name)]) {
    const own = figures.get(name);
    if (own !== undefined) await onThreeModels(name, own).catch(note(missing, name));
  }
  return result(figures, missing);
}

type Notes = {
  readonly figures: Map<string, Figures>;
  readonly missing: string[];
  readonly bench: Bench;
};

async function measureFast(subjects: readonly Running[], notes: Notes): Promise<void> {
  const { bench, figures, missing } = notes;
  const { isQuick } = bench;
  const asked = subjects.map((subject) => ({ subject, own: noFigures() }));
  const rounds = isQuick ? 30 : 200;
  const pairs: typeof asked = [];
  for (const pair of asked) {
    const isWarm = await warmUp(pair.subject, rounds).catch(note(missing, pair.subject.name));
    if (isWarm === true) pairs.push(pair);
  }
  for (const { own, subject } of pairs) figures.set(subject.name, own);
  await measureIdle(pairs, rounds);
  for (let round = 0; round < (isQuick ? 1 : 2); round += 1) {
    for (const { own, subject } of pairs) own.embedsPerSecond.push(await embedRate(subject, 2));
  }
  const lines = isQuick ? 300 : 1_000;
  await changePace(subjects, lines);
  for (const { own, subject } of pairs) {
    own.linesPerCpuSecond.push(await linesPerCpuSecond(subject, lines));
  }
}

async function warmUp(subject: Running, rounds: number): Promise<true> {
  const client = connectTo(subject.origin);
  for (let round = 0; round < rounds; round += 1) await firstByteMs(client, subject);
  await client.close();
  return true;
}

async function measureIdle(
  pairs: readonly { readonly subject: Running; readonly own: Figures }[],
  rounds: number,
): Promise<void> {
  const asking = pairs.map((pair) => ({ ...pair, client: connectTo(pair.subject.origin) }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { client, own, subject } of asking) {
      own.firstByteMs.push(await firstByteMs(client, subject));
      await delay(restMs);
    }
  }
  await Promise.all(asking.map(({ client }) => client.close()));
}

/** Gateways pass no orders on, so the target is told itself: a line each millisecond. */
async function changePace([subject]: readonly Running[], lines: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${subject?.targetPort}/bench/pace/${lines}/1`)).text();
}

/** A simulated Ollama, and the subject in front of it, by itself. */
async function onThreeModels(name: string, own: Figures): Promise<void> {
  const sim = await startThreeModels();
  const folder = mkdtempSync(join(tmpdir(), "foreman-bench-"));
  const gateway = gateways.find((one) => one.name === name);
  try {
    const place = { folder, targetPort: sim.port, models };
    const subject =
      gateway === undefined
        ? await yardstick(name === "direct" ? "direct" : "foreman", sim.port, folder, {})
        : await started(gateway, place);
    try {
      Object.assign(own, await swapsOf(subject, shuffled("gateways"), sim));
      own.personWaits = await personWaits(subject);
    } finally {
      await subject.stop();
    }
  } finally {
    await sim.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where nothing stands before it, it is the target's own queue that is seen. */
function named(name: string): string {
  return name === "direct" ? "Ollama itself" : name;
}

function noFigures(): Figures {
  const none = Number.NaN;
  const lists = { firstByteMs: [], embedsPerSecond: [], linesPerCpuSecond: [] };
  return { ...lists, swaps: none, makespanMs: none, personWaits: none };
}

function result(figures: ReadonlyMap<string, Figures>, missing: readonly string[]): RowResult {
  const direct = figures.get("direct");
  const present = gateways.filter(({ name }) => figures.has(name)).length;
  const added = ({ firstByteMs: all }: Figures, share: number) =>
    percentile(all, share) - percentile(direct?.firstByteMs ?? [], share);
  const foreman = figures.get("foreman") ?? noFigures();
  return {
    measured:
      `${present} of ${gateways.length} others present; foreman: ${plain(foreman.swaps, 0)} swaps, ` +
      `a person waits for ${plain(foreman.personWaits, 1)} answers`,
    verdict: "told",
    missing,
    plots: [
      {
        name: "gateways-person",
        title: `A person behind ${scripted} requests of a script waits for`,
        unit: "answers",
        bars: [...figures].map(([name, own]) => ({ name: named(name), value: own.personWaits })),
        limit: null,
        decimals: 1,
      },
      {
        name: "gateways-makespan",
        title: `${jobs} shuffled jobs of three models: time until all are answered`,
        unit: "ms",
        bars: [...figures].map(([name, own]) => ({ name: named(name), value: own.makespanMs })),
        limit: null,
        decimals: 0,
      },
    ],
    table: {
      head: [
        "peer",
        "added to first byte, ms p50",
        "p99",
        `embeddings/s, ${embedConnections} connections`,
        "lines per CPU second",
        "swaps",
        "makespan ms",
        "a person waits for answers",
      ],
      rows: [...figures].map(([name, own]) => [
        name,
        name === "direct" ? "0.00" : plain(added(own, 0.5), 2),
        name === "direct" ? "0.00" : plain(added(own, 0.99), 2),
        plain(median(own.embedsPerSecond), 0),
        plain(median(own.linesPerCpuSecond), 0),
        plain(own.swaps, 0),
        plain(own.makespanMs, 0),
        plain(own.personWaits, 1),
      ]),
    },
    method:
      "Each in front of the same targets, set up as `bench/gateways.ts` says, on one core, in the " +
      "protocol that it speaks: Ollama's own where it has that, OpenAI's else. Chats one at a " +
      `time, in turns, after ${restMs} ms of rest; lines of ${streams} chats at once, one each ` +
      `millisecond. Swaps and makespan are of row 5's ${jobs} shuffled jobs, all at once; the ` +
      `least is ${models.length - 1} swaps. A person asks behind ${scripted} requests of another ` +
      "user's, told apart by the header that the gateway knows, if it knows one: the wait for the " +
      `whole answer, less the answer, in answers' times of ${answerMs} ms. Direct is Ollama's own queue there. A ` +
      "dash: it has no such thing, or refused some.",
  };
}
