/** When a service manager hears that foreman lives; test/journeys/service-manager.test.ts does it whole. */
import { describe, expect, test } from "vitest";
import { createLog } from "../../src/log.ts";
import { LifeSign } from "../../src/systemd/life-sign.ts";
import { readStandstill } from "../../src/systemd/standstill.ts";
import { ManualClock } from "../support/manual-clock.ts";

const watchdogMs = 30_000;

/** A dispatcher that takes a turn whenever it is asked to, until it hangs; a database that moves. */
function scene() {
  const clock = new ManualClock();
  const state = { hangs: false, problem: null as string | null, database: null as string | null };
  let turnedAtMs = clock.monotonicMs();
  const parts = {
    clock,
    keeper: {
      get standstill() {
        return state.database;
      },
    },
    dispatcher: {
      tick() {
        if (!state.hangs) turnedAtMs = clock.monotonicMs();
      },
      get turnedAtMs() {
        return turnedAtMs;
      },
      get problem() {
        return state.problem;
      },
    },
  };
  const heard: string[] = [];
  const sign = new LifeSign({
    notifier: { notify: async (...assignments) => void heard.push(...assignments) },
    clock,
    log: createLog("silent", { write: () => {} }),
    watchdogMs,
    readStandstill: () => readStandstill(parts),
    readStatus: () => "0 wait, 0 run; target away",
  });
  const lives = async () => {
    heard.length = 0;
    await clock.advance(watchdogMs);
    return heard.includes("WATCHDOG=1");
  };
  return { sign, state, heard, lives };
}

describe("the sign of life", () => {
  test.each([
    ["the dispatcher hangs", { hangs: true }, "STATUS=the dispatcher takes no turn"],
    ["it lets nothing through", { problem: "no claim for 40 s" }, "STATUS=no claim for 40 s"],
    ["the database is stuck", { database: "a commit takes 31 s" }, "STATUS=a commit takes 31 s"],
  ])("is withheld while %s, with the reason told once, and given again after", async (...row) => {
    const [, stuck, status] = row;
    const { heard, lives, sign, state } = scene();
    await sign.start();
    expect(await lives()).toBe(true);

    const well = { ...state };
    Object.assign(state, stuck);

    expect(await lives()).toBe(false);
    expect(heard).toEqual([status]);
    Object.assign(state, well);
    expect(await lives()).toBe(true);
    sign.stop();
    expect(await lives()).toBe(false);
  });
});
