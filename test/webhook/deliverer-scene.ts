import type { Job, JobId } from "../../src/job.ts";
import { Deliverer } from "../../src/webhook/deliverer.ts";
import type { Receipt } from "../../src/webhook/post.ts";
import { aJob, prompt } from "../store/job-maker.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";
import type { MemoryDisk } from "../support/memory-disk.ts";
import { MemoryStore } from "../support/memory-store.ts";

/** A message that was posted and is not answered yet. */
type Posted = {
  readonly id: string;
  readonly url: string;
  readonly text: string;
  answer(receipt: Receipt): void;
};

export const received: Receipt = { kind: "received" };
export const failed = { kind: "failed", problem: "it is down", retryAfterMs: null } as const;

/** A deliverer over a store without a disk; each message waits for the test to answer it. */
export function delivererScene(disk?: MemoryDisk, clock = new ManualClock()) {
  const store = new MemoryStore(disk);
  const open: Posted[] = [];
  const posted: string[] = [];
  const { lines, log } = logLines();
  const deliverer = new Deliverer({
    onReceipt: () => {},
    store,
    clock,
    log,
    random: () => 0.5,
    post: ({ body, id, url }, cut) => {
      posted.push(id);
      const { promise, resolve } = Promise.withResolvers<Receipt>();
      const entry = { id, url, text: body.toString(), answer: resolve };
      open.push(entry);
      cut.addEventListener("abort", () => resolve({ kind: "cut" }));
      return promise.finally(() => open.splice(open.indexOf(entry), 1));
    },
  });

  /** Tells the deliverer, and lets all happen that follows. */
  async function woken(): Promise<void> {
    deliverer.wake();
    await clock.advance(20);
    await clock.settle();
  }

  async function joined(url: string, facts: Partial<Job> = {}): Promise<JobId> {
    const job = aJob(facts);
    await store.insertJob(job, prompt, { webhookUrl: url });
    return job.id;
  }

  async function working(url: string): Promise<JobId> {
    const id = await joined(url);
    await store.claim(id, 1, 2);
    await store.markWorking(id, 1, 3);
    return id;
  }

  /** Answers what is open, and whatever comes of it, until nothing is. */
  async function answerAll(receipt: Receipt): Promise<void> {
    while (open.length > 0) {
      open[0]?.answer(receipt);
      await clock.settle();
      await clock.settle();
    }
  }

  const say = (msg: string) => lines.filter((line) => line.msg.startsWith(msg)).length;

  return { store, clock, deliverer, open, posted, say, woken, joined, working, answerAll };
}
