import { describe, expect, test } from "vitest";
import { Refresher } from "../../src/target/refresher.ts";

/** Runs that the test ends by hand. */
function scene() {
  const runs: (() => void)[] = [];
  const refresher = new Refresher(() => new Promise<void>((resolve) => void runs.push(resolve)));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { refresher, runs, settle };
}

describe("the refresher", () => {
  test("never asks twice at a time; all who came meanwhile share the next run", async () => {
    const { refresher, runs, settle } = scene();
    const done: string[] = [];
    for (const name of ["first", "second", "third"]) {
      void refresher.refresh().then(() => done.push(name));
    }
    await settle();
    expect(runs).toHaveLength(1);

    runs[0]!();
    await settle();
    expect(done).toEqual(["first"]);
    expect(runs).toHaveLength(2);

    runs[1]!();
    await settle();
    expect(done).toEqual(["first", "second", "third"]);
    expect(refresher.pending).toBeNull();
  });

  test("asks anew for whoever comes after a run has ended", async () => {
    const { refresher, runs, settle } = scene();
    void refresher.refresh();
    runs[0]!();
    await settle();

    void refresher.refresh();

    expect(runs).toHaveLength(2);
  });

  test("gives whoever comes during the second run a third one", async () => {
    const { refresher, runs, settle } = scene();
    void refresher.refresh();
    void refresher.refresh();
    runs[0]!();
    await settle();
    let isDone = false;
    void refresher.refresh().then(() => {
      isDone = true;
    });

    runs[1]!();
    await settle();
    expect(isDone).toBe(false);
    expect(runs).toHaveLength(3);

    runs[2]!();
    await settle();
    expect(isDone).toBe(true);
  });

  test("tells as pending the last run that is wanted, not the one under way", async () => {
    const { refresher, runs, settle } = scene();
    void refresher.refresh();
    void refresher.refresh();
    let isRead = false;
    void refresher.pending?.then(() => {
      isRead = true;
    });

    runs[0]!();
    await settle();
    expect(isRead).toBe(false);

    runs[1]!();
    await settle();
    expect(isRead).toBe(true);
  });
});
