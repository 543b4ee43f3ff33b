import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { ask, chatBody, connectTo } from "../ask.ts";
import type { Span } from "../generation.ts";
import type { Peer, PeerName } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, plain, withSpread } from "../statistics.ts";
import { forgetPeak, memoryOf } from "../usage.ts";

const peers: readonly PeerName[] = ["bare proxy", "foreman"];
const lineBytes = 8_192;

/** Fits foreman's buffer of 16 MiB, and fills every kernel buffer on the way many times over. */
const answerBytes = 12e6;
/** Does not fit: the reader is cut off. */
const hugeBytes = 120e6;

/** The slow reader stops for so long after its first piece. */
const stopMs = 2_000;

/**
 * Foreman's buffer, what the stream beneath holds, V8's young generation (48 MB), and what is
 * garbage until collected.
 */
const heldMbMax = 128;

/** What the second half of the readers that are cut off may add: nothing, but for noise. */
const grownMbMax = 8;

export const slowReader: Row = {
  number: 12,
  what: "slow reader, fast target: when the slot is free, and what is held",
  yardstick: "the same with a fast reader; bare node proxy",
  bar: "slot freed at the target's pace; memory bounded",
  run: (bench) => onScene({ peers }, (scene) => measure(scene, bench)),
};

/** How long the target took to send, and how long after that the next job began there; in ms. */
type Round = { readonly sendMs: number; readonly gapMs: number };

async function measure(scene: Scene, { isQuick }: Bench): Promise<RowResult> {
  const pid = scene.peer("foreman").pid ?? 0;
  await delay(1_000);
  forgetPeak(pid);
  const beforeBytes = memoryOf(pid).nowBytes;
  const fast: Round[] = [];
  const slow: Round[] = [];
  const bare: Round[] = [];
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    fast.push(await playRound(scene, scene.peer("foreman"), 0));
    slow.push(await playRound(scene, scene.peer("foreman"), stopMs));
    bare.push(await playRound(scene, scene.peer("bare proxy"), stopMs));
  }
  const addedBy = () => (memoryOf(pid).peakBytes - beforeBytes) / 1e6;
  const cut: { readonly wasCut: boolean; readonly addedMb: number }[] = [];
  for (let reader = 0; reader < (isQuick ? 4 : 8); reader += 1) {
    cut.push({ wasCut: await isCutOff(scene.peer("foreman")), addedMb: addedBy() });
  }
  const wasCut = cut.every((one) => one.wasCut);
  const addedMb = addedBy();
  const slowMs = median(slow.map((round) => round.sendMs));
  const gapMs = median(slow.map((round) => round.gapMs));
  const grownMb = addedMb - (cut[cut.length / 2 - 1]?.addedMb ?? 0);
  const isBounded = addedMb <= heldMbMax && grownMb <= grownMbMax;
  const isMet = slowMs + gapMs <= stopMs / 10 && isBounded && wasCut;
  const row = (name: string, rounds: readonly Round[]) => [
    name,
    withSpread(
      rounds.map((round) => round.sendMs),
      0,
    ),
    withSpread(
      rounds.map((round) => round.gapMs),
      1,
    ),
  ];
  return {
    measured:
      `sent in ${plain(slowMs, 0)} ms, next job ${plain(gapMs, 1)} ms later; ` +
      `+${plain(addedMb, 0)} MB`,
    verdict: isMet ? "met" : "missed",
    missing: scene.missing,
    table: {
      head: ["peer and reader", "target sends for, ms", "next job after that, ms"],
      rows: [
        row("foreman, fast reader", fast),
        row("foreman, slow reader", slow),
        row("bare proxy, slow reader", bare),
      ],
    },
    method:
      `An answer of ${plain(answerBytes / 1e6, 0)} MB, as fast as the connection takes it, to ` +
      "a client " +
      `that reads one piece and then nothing for ${stopMs} ms; a second client's chat waits ` +
      "behind " +
      "it (the bare proxy has no queue: there the second runs beside the first, hence the " +
      "minus). " +
      "The target is done as soon as the last bytes are in the kernel's buffers; foreman still " +
      "has " +
      "to read them before the slot is free. Judged is whether the next job begins within a " +
      "tenth " +
      "of the reader's stop. Then an answer of " +
      `${plain(hugeBytes / 1e6, 0)} MB to ${cut.length} clients, one after the other, that never ` +
      `read on: ${wasCut ? "each was" : "not each was"} cut off when it lagged by 16 MiB. ` +
      "Over all of this foreman's memory grew by " +
      `${cut.map((one) => plain(one.addedMb, 0)).join(", ")} MB at most by the end of each: ` +
      `judged is that it stays below ${heldMbMax} and that the second half of the clients adds ` +
      `no more than ${grownMbMax}.`,
  };
}

async function playRound(scene: Scene, peer: Peer, stopForMs: number): Promise<Round> {
  const [first, second] = [connectTo(peer.origin), connectTo(peer.origin)];
  await scene.journal();
  const slow = ask(first, {
    path: "/api/chat",
    body: chatBody,
    orders: ordersFor(answerBytes),
    onPiece: stopOnce(stopForMs),
  });
  await delay(5);
  await ask(second, { path: "/api/chat", body: chatBody, orders: { lines: "2", label: "second" } });
  const { bodyBytes } = await slow;
  if (bodyBytes < answerBytes * 0.99) throw new Error(`${bodyBytes} bytes came`);
  await Promise.all([first.close(), second.close()]);
  return roundOf(await scene.journal());
}

function roundOf(spans: readonly Span[]): Round {
  const long = spans.find((span) => span.label === "long");
  const second = spans.find((span) => span.label === "second");
  if (long?.endMs == null || second === undefined) throw new Error("the journal misses a job");
  return { sendMs: long.endMs - long.startMs, gapMs: second.startMs - long.endMs };
}

function ordersFor(bytes: number): Record<string, string> {
  const lines = Math.round(bytes / lineBytes);
  return { lines: String(lines), "line-bytes": String(lineBytes), label: "long" };
}

/** Reads the first piece, then nothing for so long; 0 for a reader that never stops. */
function stopOnce(ms: number) {
  let hasStopped = ms === 0;
  return (controller: Dispatcher.DispatchController) => {
    if (hasStopped) return;
    hasStopped = true;
    controller.pause();
    setTimeout(() => controller.resume(), ms);
  };
}

/** Whether the reader of an answer that fits no buffer is cut off. */
async function isCutOff(foreman: Peer): Promise<boolean> {
  const client = connectTo(foreman.origin);
  const answer = ask(client, {
    path: "/api/chat",
    body: chatBody,
    orders: ordersFor(hugeBytes),
    onPiece: stopOnce(stopMs),
  });
  const wasCut = await answer.then(
    () => false,
    () => true,
  );
  await client.destroy();
  return wasCut;
}
