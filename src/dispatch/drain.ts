import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Queue } from "../queue/queue.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** What was cut needs a moment to be recorded and told. */
const afterCutMs = 1_000;

type DrainDeps = {
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  /** Whose requests are waited for, queued or not. */
  readonly http: { settled(): Promise<void> };
  /** Ended when nothing runs any more, of which they could tell. */
  readonly eventStreams: { end(): void };
  readonly clock: Clock;
  readonly log: Log;
  readonly drainTimeoutMs: number;
};

/**
 * Lets the work under way come to its end:
 * 1. New queued work is refused, and nothing more is let through; what waits says so.
 * 2. Whoever waits on a socket is turned away at once, to try elsewhere or again.
 * 3. Running streams, embeddings and transfers flow until the deadline; whoever follows jobs hears
 *    of them until the last one has ended.
 * 4. What still runs is cut.
 */
export async function drain(deps: DrainDeps): Promise<void> {
  const { clock, dispatcher, drainTimeoutMs, eventStreams, http, log, queue } = deps;
  // 1. and 2.
  queue.drain();
  dispatcher.tick();
  queue.endWaiting();
  // 3.
  const idle = dispatcher.idle().then(() => eventStreams.end());
  const done = Promise.all([idle, http.settled()]).then(() => true);
  const isDone = await Promise.race([done, clock.sleep(drainTimeoutMs).then(() => false)]);
  if (isDone) return;
  // 4.
  log.warn({ running: dispatcher.runningCount }, "drain timeout: cutting what still runs");
  dispatcher.cutAll("shutdown");
  await Promise.race([idle, clock.sleep(afterCutMs)]);
}
