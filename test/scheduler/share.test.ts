import { describe, expect, test } from "vitest";
import { Share } from "../../src/scheduler/share.ts";

const on = (client: string, runnerKey = "a") => ({ client, runnerKey });

function shareOf(weights: Record<string, number>, ...clients: string[]): Share {
  const share = new Share({ weightOf: (client) => weights[client] ?? 1 });
  for (const client of clients) share.joined(on(client));
  return share;
}

/** Serves whoever is owed most, as schedule() would. */
function serve(share: Share, clients: readonly string[], gpuMs: number): string {
  const [first] = clients.toSorted(
    (one, other) => share.deficitMs(on(other)) - share.deficitMs(on(one)),
  );
  share.charge(on(first!), gpuMs);
  return first!;
}

describe("Share", () => {
  test("owes to one client what the other had beyond its share", () => {
    const share = shareOf({}, "ann", "bob");

    share.charge(on("ann"), 1000);

    expect(share.deficitMs(on("ann"))).toBe(-500);
    expect(share.deficitMs(on("bob"))).toBe(500);
  });

  test("O6 gives GPU time by weight, however long each client's jobs are", () => {
    const share = shareOf({ ann: 3, bob: 1 }, "ann", "bob");
    const usedMs = { ann: 0, bob: 0 };

    for (let i = 0; i < 4000; i++) {
      const gpuMs = share.deficitMs(on("ann")) >= share.deficitMs(on("bob")) ? 700 : 90;
      usedMs[serve(share, ["ann", "bob"], gpuMs) as "ann" | "bob"] += gpuMs;
    }

    expect(usedMs.ann / usedMs.bob).toBeCloseTo(3, 1);
  });

  test("gives no credit for idle time", () => {
    const share = shareOf({}, "ann", "bob");
    for (let i = 0; i < 100; i++) serve(share, ["ann", "bob"], 1000);

    share.joined(on("eve"));

    expect(share.deficitMs(on("eve"))).toBe(0);
  });

  test("keeps an account while any job of the client is left, and forgets it with the last", () => {
    const share = shareOf({}, "ann", "ann", "bob");
    share.charge(on("ann"), 1000);

    share.left(on("ann"));
    const withOneLeft = share.deficitMs(on("ann"));
    share.left(on("ann"));
    share.joined(on("ann"));

    expect(withOneLeft).toBe(-500);
    expect(share.deficitMs(on("ann"))).toBe(0);
  });

  test("keeps the accounts of a client on two runners apart", () => {
    const share = shareOf({}, "ann", "bob");
    share.joined(on("ann", "b"));

    share.charge(on("ann", "b"), 60_000);

    expect(share.deficitMs(on("ann", "a"))).toBe(0);
    expect(share.deficitMs(on("ann", "b"))).toBe(0);
  });

  test("never lets a debt outgrow one job, even while others wait and leave unserved", () => {
    const share = shareOf({}, "ann");

    for (let i = 0; i < 1000; i++) {
      share.joined(on("passer-by"));
      share.charge(on("ann"), 1000);
      share.left(on("passer-by"));
      expect(share.deficitMs(on("ann"))).toBeGreaterThanOrEqual(-1000);
    }
  });

  test("lets a client in debt run before the last of many newcomers", () => {
    const share = shareOf({}, "ann", "bob");
    share.charge(on("ann"), 10_000);
    share.left(on("bob"));
    let starts = 0;

    for (let isServed = false; !isServed; starts++) {
      const newcomer = `newcomer ${starts}`;
      share.joined(on(newcomer));
      isServed = serve(share, ["ann", newcomer], 1000) === "ann";
      share.left(on(newcomer));
    }

    expect(starts).toBeLessThan(25);
  });

  test("refuses a charge for someone without a job, and a weight that is not positive", () => {
    const share = shareOf({ zero: 0 }, "ann");

    expect(() => share.charge(on("bob"), 1)).toThrow(/no job/);
    expect(() => share.left(on("ann", "elsewhere"))).toThrow(/nobody/);
    expect(() => share.joined(on("zero"))).toThrow(/weight of zero/);
    expect(() => share.charge(on("ann"), Number.NaN)).toThrow(/finite/);
  });
});
