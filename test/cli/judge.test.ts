import { describe, expect, test } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";

const model = "llama3.2";
const line = (request_id: string, more: object = {}) =>
  JSON.stringify({ request_id, messages: [{ role: "user", content: "Why?" }], ...more });

describe("the commands about results and about what was done", () => {
  test("approve and reject results, retry what failed, and tell who did what", async () => {
    const sim = await startSim({ models: [{ name: model, loadMs: 1, tokens: 5 }] });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const env = { FOREMAN_URL: foreman.url };
    const run = async (...args: string[]) => await runCommand(args, { env, columns: 160 });
    const never = { response_format: { type: "object", required: ["x"] } };
    // An id may hold what means something in a path.
    const items = ["1", "b?c%2f", "3", "4"].map((id) => line(id));
    const submit = ["batch", "submit", "-", "--model", model, "--provider", "ollama"];
    const approving = [...submit, "--requires-approval", "--wait"];
    const stdin = [...items, line("5", never)].join("\n");
    const submitted = await runCommand(approving, { env, stdin });
    expect(submitted.exitCode).toBe(2);
    const { job_id: id } = JSON.parse(submitted.out) as { readonly job_id: string };

    expect((await run("approve", id, "1", "b?c%2f", "--note", "read")).out).toBe(
      "1 is approved\nb?c%2f is approved\n",
    );
    const rejected = await runCommand(["reject", id, "-", "--by", "ann"], { env, stdin: "3\n" });
    expect(JSON.parse(rejected.out)).toMatchObject({
      request_id: "3",
      approval: { state: "rejected", by: "ann", note: null },
    });
    expect(await run("approve", id, "4", "3")).toMatchObject({
      exitCode: 1,
      out: "4 is approved\n",
      err: expect.stringContaining('"3" is rejected'),
    });
    expect(await run("approve", id, "-", "1")).toMatchObject({ exitCode: 64 });
    const approved = await run("results", id, "--approval", "approved");
    expect(approved.out.trimEnd().split("\n")).toHaveLength(1 + 3);

    expect((await run("batch", "retry", id)).out).toBe(`1 items of batch ${id} wait again\n`);
    expect((await run("job", id, "--wait")).exitCode).toBe(2);

    expect((await run("changes")).out).toBe("nobody changed anything\n");
    await run("pause", "--class", "batch", "--model", model, "--note", "a demo");
    await run("slots", "2");
    await run("drain");
    await run("drain", "off");
    const changes = (await run("changes")).out.split("\n").map((each) => each.split(/ {2,}/));
    expect(changes.slice(1, -1).map(([, , ...what]) => what)).toEqual([
      ["drain", "off", "-"],
      ["drain", "on", "-"],
      ["slots", "2", "-"],
      ["pause", `batch ${model}`, "a demo"],
    ]);

    const hour = await run("history");
    expect(hour.out).toMatch(/^SINCE +DONE .*\n\d{4}-/);
    const day = await runCommand(["history", "--span", "day"], { env });
    expect(JSON.parse(day.out)).toMatchObject({ span: "day", step_seconds: 600 });
    expect((await run("history", "--span", "year")).exitCode).toBe(1);
  });
});
