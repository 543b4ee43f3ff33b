import { fstatSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createLog, journal } from "../../src/log.ts";
import { readSupervision } from "../../src/systemd/supervision.ts";

const alone = { notifySocket: null, watchdogMs: null, listenFd: null, isJournal: false };

describe("what a service manager passed on", () => {
  test.each([
    ["nothing", {}, alone],
    ["an ear", { NOTIFY_SOCKET: "@x" }, { ...alone, notifySocket: "@x" }],
    ["a watchdog", { WATCHDOG_USEC: "30000000" }, { ...alone, watchdogMs: 30_000 }],
    [
      "a watchdog for this process",
      { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" },
      { ...alone, watchdogMs: 30_000 },
    ],
    ["another's watchdog", { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }, alone],
    ["a socket", { LISTEN_FDS: "1", LISTEN_PID: "7" }, { ...alone, listenFd: 3 }],
    ["another's socket", { LISTEN_FDS: "1", LISTEN_PID: "8" }, alone],
    ["another's journal", { JOURNAL_STREAM: "1:2" }, alone],
  ] as const)("is read: %s", (_, env, supervision) => {
    expect(readSupervision(env, 7)).toEqual(supervision);
  });

  test("is known as the journal by its device and inode", () => {
    const { dev, ino } = fstatSync(1);

    expect(readSupervision({ JOURNAL_STREAM: `${dev}:${ino}` }, 7).isJournal).toBe(true);
  });

  test("is refused if it is more than one socket", () => {
    const env = { LISTEN_FDS: "2", LISTEN_PID: "7" };

    expect(() => readSupervision(env, 7)).toThrow(/2 sockets.*keep one ListenStream=/);
  });
});

describe("a log for the journal", () => {
  test("bears each line's priority", () => {
    const lines: string[] = [];
    const log = createLog("trace", journal({ write: (line: string) => void lines.push(line) }));

    for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) {
      log[level](level);
    }

    expect(lines.map((line) => line.slice(0, 4))).toEqual(
      [7, 7, 6, 4, 3, 2].map((priority) => `<${priority}>{`),
    );
  });
});
