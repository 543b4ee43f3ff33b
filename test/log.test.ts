import { describe, expect, test } from "vitest";
import { logLines } from "./support/log-lines.ts";

const secrets = { token: "s3cret", headers: { authorization: "Bearer s3cret" }, body: "s3cret" };

describe("the log", () => {
  test("never shows a token, a header or a body that was handed to it by mistake", () => {
    const { lines, log } = logLines();
    const failure = Object.assign(new Error("no"), secrets);

    log.info({ ...secrets, model: "m" }, "at the top");
    log.info({ request: { ...secrets, path: "/api/chat" } }, "one level below");
    log.warn({ err: failure }, "in an error");
    log.child({ component: "x", ...secrets }).info("in a child");

    expect(JSON.stringify(lines)).not.toContain("s3cret");
    expect(lines).toMatchObject([
      { msg: "at the top", model: "m" },
      { request: { path: "/api/chat" } },
      { err: { message: "no" } },
      { component: "x" },
    ]);
  });

  test("is one JSON object a line, with a time that people can read and no machine's name", () => {
    const { lines, log } = logLines();

    log.info("job queued");

    expect(lines).toEqual([
      { level: 30, msg: "job queued", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    ]);
  });

  test.each([
    ["info", 3],
    ["error", 1],
    ["silent", 0],
  ])("at level %s shows %i of a line of each kind", (level, count) => {
    const { lines, log } = logLines(level);

    for (const kind of ["debug", "info", "warn", "error"] as const) log[kind]("x");

    expect(lines).toHaveLength(count);
  });
});
