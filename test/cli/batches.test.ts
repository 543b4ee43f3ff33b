import { describe, expect, test } from "vitest";
import { runCommand, startCommand } from "../support/run-command.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const model = "llama3.2";
const line = (request_id: string, more: object = {}) =>
  JSON.stringify({ request_id, messages: [{ role: "user", content: "Why?" }], ...more });
const documents = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((each) => JSON.parse(each) as Readonly<Record<string, unknown>>);

describe("the commands about batches and for operators", () => {
  test("submit a file, wait with a bar, fetch the results, and steer foreman", async () => {
    const sim = await startSim({ models: [{ name: model, loadMs: 1, tokens: 5 }] });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const env = { FOREMAN_URL: foreman.url };
    const person = { env, columns: 100 };
    const submit = ["batch", "submit", "-", "--model", model, "--provider", "ollama"];
    const run = async (...args: string[]) => await runCommand(args, person);

    // A file that breaks off half-way leaves nothing behind.
    const broken = `${line("1")}\n{"request_id":"2",\n`;
    expect(await runCommand(submit, { env, stdin: broken })).toMatchObject({
      exitCode: 65,
      err: expect.stringMatching(/^foreman: line 2 is no JSON object.*Nothing was submitted\n$/),
    });
    const twice = `${line("1")}\n${line("1")}\n`;
    expect(await runCommand(submit, { env, stdin: twice })).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/"1" was used by items\[0\] and items\[1\]/),
    });
    const none = await runCommand(["batch", "list"], { env });
    expect(documents(none.out)).toMatchObject([{ jobs: [] }]);

    // The last one cannot become JSON of that schema, so that one item fails.
    const never = { response_format: { type: "object", required: ["x"] } };
    const stdin = `${line("1")}\r\n\n${line("2")}\n${line("3", never)}`;
    const waited = await runCommand([...submit, "--wait"], { ...person, stdin });
    expect(waited.exitCode).toBe(2);
    expect(waited.out).toMatch(/^completed +2$/m);
    expect(waited.err).toContain("100% | 3 of 3 | 1 failed");
    const [id = ""] = /01[0-9A-Z]{24}/.exec(waited.err) ?? [];
    const results = await runCommand(["results", id], { env });
    expect(documents(results.out).map((each) => [each.request_id, each.status])).toEqual([
      ["1", "completed"],
      ["2", "completed"],
      ["3", "failed"],
    ]);
    expect((await run("results", id, "--status", "failed")).out).toContain("invalid_output");

    // Paused, a batch waits for as long as it is wanted to.
    expect((await run("pause", "--class", "batch", "--note", "a demo")).out).toContain("a demo");
    const looking = startCommand([...submit, "--wait"], { ...person, stdin });
    await until("the bar is shown", () => looking.written().err.includes("0 of 3"));
    expect((await run("status")).out).toMatch(/^paused: batch work of every model.*\(a demo\)$/m);
    looking.interrupt();
    const left = await looking.ended;
    expect(left.exitCode).toBe(130);
    const [, waiting = ""] = /batch (01\w+) goes on: foreman job/.exec(left.err) ?? [];
    expect((await run("job", waiting)).out).toMatch(/^status +queued$/m);
    expect((await run("cancel", waiting)).out).toBe(`batch ${waiting} is cancelled\n`);
    expect((await run("resume")).out).toBe("nothing is paused\n");
    expect((await run("batch", "list")).out.trimEnd().split("\n")).toHaveLength(3);

    expect((await run("models")).out).toMatch(/llama3.2:latest .* loaded/);
    expect((await run("providers", "off", "ollama")).out).toBe("ollama is off\n");
    expect((await run("providers")).out).toMatch(/^ollama +offline .* switched off/m);
    expect((await run("providers", "on", "ollama")).exitCode).toBe(0);
    expect(await run("providers", "order", "ollama")).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining("the order lacks"),
    });
    expect((await run("slots", "2")).out).toMatch(/^2 slots/);
    expect((await run("drain", "--note", "new disk")).out).toContain("foreman drain off");
    const drained = /^no new work is taken, since 20.*Z by 127\.0\.0\.1 \(new disk\)$/m;
    expect((await run("status")).out).toMatch(drained);
    expect((await run("submit", "--model", model, "Why?")).exitCode).toBe(75);
    expect((await run("drain", "off")).out).toBe("new work is taken\n");
    expect((await run("unload", model)).exitCode).toBe(0);
    expect((await run("backup")).out).toMatch(/^backups\/.*\.db, /);
  });
});
