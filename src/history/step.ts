import { z } from "zod";

const count = z.number().min(0);
const waits = z.record(z.string(), count);
const items = z.object({ completed: count, failed: count, cancelled: count });
const chats = z.object({ answered: count, failed: count });
const noChats = { answered: 0, failed: 0 };
const noItems = { completed: 0, failed: 0, cancelled: 0 };

/** One step of the history as it is kept; times in ms. */
export const step = z.object({
  /** Wall clock at which it began. */
  atMs: z.number(),
  done: count,
  failed: count,
  cancelled: count,
  /** Of batches, as they ended; absent in what a foreman wrote down that did not count them. */
  items: items.default(noItems),
  /** Of the runtime-LLM API; absent where they were not counted. */
  chats: chats.default(noChats),
  /** Written by the target. */
  tokens: count,
  /** How long something ran. */
  busyMs: count,
  swaps: count,
  /** How many more the order of arrival would have made for the same jobs; may be negative. */
  spared: z.number().default(0),
  /** At its end. */
  queued: count,
  unfed: count.default(0),
  running: count,
  waits: z.object({ interactive: waits, batch: waits }),
});

export type Step = Readonly<z.output<typeof step>>;

export function emptyStep(atMs: number): Step {
  return {
    atMs,
    ...{ done: 0, failed: 0, cancelled: 0, tokens: 0, busyMs: 0 },
    ...{ swaps: 0, spared: 0, queued: 0, unfed: 0, running: 0 },
    items: noItems,
    chats: noChats,
    waits: { interactive: {}, batch: {} },
  };
}
