import { setTimeout as delay } from "node:timers/promises";

/** Waits until `holds` answers true, looking every 5 ms; throws after `withinMs`, naming `what`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(5);
  }
}
