import { setTimeout as delay } from "node:timers/promises";
import { swaps } from "../test/support/sim-ollama/journal-queries.ts";
import type { SimOllama } from "../test/support/sim-ollama/sim-ollama.ts";
import { type Ask, ask, connectTo } from "./ask.ts";
import { closedLoop } from "./closed-loop.ts";
import { chatWith, embedWith, type Subject } from "./subject.ts";
import { answerMs, models } from "./three-models.ts";
import { cpuSeconds } from "./usage.ts";

/** A subject that is a process of its own; null: the target itself. */
export type Measurable = Subject & { readonly pid: number | null };

export const embedConnections = 32;
export const streams = 10;

/** So many answers are asked for at once by one user, before another comes. */
export const scripted = 30;

/** A chat's ms to the first byte of its answer: some send a head before there is one. */
export async function firstByteMs(
  client: ReturnType<typeof connectTo>,
  subject: Subject,
  wish: Parameters<typeof chatWith>[1] = { model: "bench-chat" },
): Promise<number> {
  const sentAtMs = performance.now();
  let tookMs = Number.NaN;
  let words = "";
  const onPiece: Ask["onPiece"] = (_controller, bytes) => {
    if (words !== "") return;
    tookMs = performance.now() - sentAtMs;
    words = bytes.toString("utf8", 0, 80);
  };
  const { statusCode } = await ask(client, { ...chatWith(subject, wish), onPiece });
  if (statusCode !== 200) throw new Error(`it answers a chat ${statusCode} ${words}`);
  return tookMs;
}

/** Embeddings a second; NaN where the subject has none, refuses some or answers none in time. */
export async function embedRate(subject: Subject, seconds: number): Promise<number> {
  const request = embedWith(subject, "bench-embed");
  if (request === null) return Number.NaN;
  const load = { ...request, origin: subject.origin, connections: embedConnections };
  const { errors, perSecond } = await closedLoop({ ...load, seconds, delayMs: 0 });
  return errors > 0 || perSecond === 0 ? Number.NaN : perSecond;
}

/** Relayed lines for a second of the subject's CPU time; `lines` as the target was told. */
export async function linesPerCpuSecond(subject: Measurable, lines: number): Promise<number> {
  if (subject.pid === null) return Number.NaN;
  const clients = Array.from({ length: streams }, () => connectTo(subject.origin));
  const request = chatWith(subject, { model: "bench-chat" });
  const before = cpuSeconds(subject.pid);
  const answers = await Promise.all(clients.map((client) => ask(client, request)));
  const spent = cpuSeconds(subject.pid) - before;
  await Promise.all(clients.map((client) => client.close()));
  const isWhole = answers.every(({ statusCode }) => statusCode === 200);
  return isWhole ? (streams * lines) / spent : Number.NaN;
}

/** All jobs at once: how often the target swapped, and how long it took, in ms. */
export async function swapsOf(subject: Subject, order: readonly string[], sim: SimOllama) {
  const startedAtMs = performance.now();
  const answers = await Promise.all(
    order.map(async (model) => {
      const client = connectTo(subject.origin);
      const { statusCode } = await ask(client, chatWith(subject, { model }));
      await client.close();
      return statusCode;
    }),
  );
  const refused = answers.filter((statusCode) => statusCode !== 200).length;
  const makespanMs = refused > 0 ? Number.NaN : performance.now() - startedAtMs;
  return { swaps: swaps(sim.journal.events), makespanMs };
}

/**
 * One user's script has asked for all its answers at once; then a person asks for one, of the same
 * model: how many answers' time the person waits, its own not counted. Not for the first byte: some
 * send one before the target has begun.
 */
export async function personWaits(subject: Subject): Promise<number> {
  const [model] = models;
  const person = connectTo(subject.origin);
  // Loaded, so that answers alone are waited for.
  await firstByteMs(person, subject, { model });
  const clients = Array.from({ length: scripted }, () => connectTo(subject.origin));
  const script = clients.map((client) => ask(client, chatWith(subject, { model, user: "script" })));
  // Whoever is left when the person has been served is cut off.
  for (const answer of script) answer.catch(() => {});
  await delay(answerMs * 2);
  const { totalMs } = await ask(person, chatWith(subject, { model, user: "person" }));
  await Promise.all([person, ...clients].map((client) => client.destroy()));
  return totalMs / answerMs - 1;
}
