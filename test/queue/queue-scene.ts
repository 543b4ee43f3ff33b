import { expect } from "vitest";
import type { JobId } from "../../src/job.ts";
import { Queue } from "../../src/queue/queue.ts";
import { WriteBehind } from "../../src/store/write-behind.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { aSubmission } from "./submission.ts";

type SceneFacts = {
  readonly depthMax?: number;
  readonly waitMsMax?: number;
  readonly missing?: string;
  /** A client whose ceiling is batch work. */
  readonly batchClient?: string;
  /** Of an earlier life. */
  readonly store?: MemoryStore;
  readonly clock?: ManualClock;
};

/** A queue in front of an empty store, and what it told to whoever listens. */
export function queueScene(facts: SceneFacts = {}) {
  const { clock = new ManualClock(), depthMax = 100, store = new MemoryStore() } = facts;
  const { waitMsMax = 0 } = facts;
  const told = { joined: [] as JobId[], left: [] as JobId[], ended: [] as string[], changes: 0 };
  const { lines, log } = logLines();
  const queue = new Queue({
    topClassOf: (client) => (client === facts.batchClient ? "batch" : "interactive"),
    isModelMissing: (model) => model === facts.missing,
    onEndedWaiting: (_, why) => void told.ended.push(`${why.state}: ${why.reason}`),
    store,
    behind: new WriteBehind({ clock, log }),
    clock,
    log,
    depthMax,
    waitMsMax,
    answerBytesMax: 1_000,
    onJoined: ({ id }) => void told.joined.push(id),
    onLeft: ({ id }) => void told.left.push(id),
    onChange: () => {
      told.changes += 1;
    },
  });
  const submitted = (job: Parameters<typeof aSubmission>[0] = {}) => {
    const submission = aSubmission(job);
    expect(queue.submit(submission)).toBeNull();
    return { ...submission, id: submission.job.id };
  };
  const order = () => [...queue.lanes()].map((lane) => [...lane.waiting.keys()]);
  return { store, clock, lines, told, queue, submitted, order };
}
