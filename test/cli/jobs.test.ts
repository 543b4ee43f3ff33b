import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { occupySlot } from "../support/occupied-slot.ts";
import { runCommand, startCommand } from "../support/run-command.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const parsed = (text: string) => JSON.parse(text) as Readonly<Record<string, unknown>>;

describe("the commands about jobs", () => {
  test("give a prompt, and bring its answer, to a person and to a program", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2", loadMs: 1, tokens: 5 }] });
    const foreman = await startForeman(sim.url, { FOREMAN_TOKEN: "s3cret" });
    const env = { FOREMAN_URL: foreman.url, FOREMAN_CLIENT_TOKEN: "s3cret" };
    const prompt = ["submit", "--model", "llama3.2"];

    const answered = await runCommand([...prompt, "Why?", "--wait"], { env, columns: 80 });
    expect(answered).toMatchObject({ exitCode: 0, err: "" });

    const piped = await runCommand([...prompt, "--idempotency-key", "k"], { env, stdin: "Why?" });
    const again = await runCommand([...prompt, "--idempotency-key", "k", "Why?"], { env });
    expect(again.out).toBe(piped.out);
    const id = String(parsed(piped.out).job_id);
    const job = await runCommand(["job", id, "--wait"], { env });
    expect(job.exitCode).toBe(0);
    expect(parsed(job.out)).toMatchObject({ job_id: id, state: "done" });
    const results = await runCommand(["results", id], { env });
    expect(results.out).toBe(parsed(job.out).result);

    const lists = await runCommand(["jobs", "--state", "done"], { env, columns: 100 });
    expect(lists.out.split("\n")).toHaveLength(1 + 2 + 1);
    expect(lists.out).toContain(id);
    const file = join(dirname(foreman.databaseFile), "token");
    writeFileSync(file, "s3cret\n");
    const { FOREMAN_CLIENT_TOKEN: _, ...tokenless } = env;
    expect(await runCommand(["ps", "--token-file", file], { env: tokenless })).toMatchObject({
      exitCode: 0,
    });
    expect(await runCommand(["ps"], { env: tokenless })).toEqual({
      exitCode: 77,
      out: "",
      err: expect.stringMatching(/^foreman: .* wants a token: set FOREMAN_CLIENT_TOKEN.*\n$/),
    });
    const wrong = await runCommand(["ps"], { env: { ...env, FOREMAN_CLIENT_TOKEN: "guess" } });
    expect(wrong).toMatchObject({ exitCode: 77, err: expect.not.stringContaining("guess") });
    const unknown = await runCommand(["submit", "--model", "nobody", "Why?"], { env });
    expect(unknown).toMatchObject({ exitCode: 1, err: expect.stringContaining("nobody") });
  });

  test("show who waits and why, leave alone what they stop looking at, and cancel", async () => {
    const { foreman } = await occupySlot({});
    const env = { FOREMAN_URL: foreman.url };
    const prompt = ["submit", "--model", "llama3.2", "Why?"];
    const person = { env, columns: 120 };

    const waiting = startCommand([...prompt, "--wait"], person);
    const jobs = async () => {
      const list = await runCommand(["jobs", "--state", "queued"], { env });
      return parsed(list.out).jobs as readonly { readonly job_id: string }[];
    };
    await until("the job waits", async () => (await jobs()).length === 1);
    const id = String((await jobs())[0]?.job_id);
    waiting.interrupt();
    const left = await waiting.ended;
    expect(left).toMatchObject({ exitCode: 130, out: "" });
    expect(left.err).toContain(`goes on: foreman job ${id} --wait`);

    const job = await runCommand(["job", id], person);
    expect(job.out).toMatch(/^state +queued$/m);
    expect(job.out).toMatch(/^why +\S/m);
    const status = await runCommand(["status"], person);
    expect(status.out).toContain("1 of 1 slots busy, 1 waiting");
    const watch = startCommand(["status", "--watch", "0.2"], { env });
    await until("it was told twice", () => watch.written().out.split("\n").length > 2);
    watch.interrupt();
    expect(await watch.ended).toMatchObject({ exitCode: 0, err: "" });

    expect(await runCommand(["cancel", id], person)).toMatchObject({
      exitCode: 0,
      out: `job ${id} is cancelled\n`,
    });
    await runCommand(prompt, { env });
    expect((await runCommand(["cancel", "--model", "llama3.2"], { env })).out).toBe(
      '{"cancelled":1}\n',
    );
    const ended = await runCommand(["job", id, "--wait"], { env });
    expect(ended.exitCode).toBe(1);
    expect(await runCommand(["cancel", "nobody"], { env })).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/no job and no batch nobody.*foreman jobs/),
    });
  });
});
