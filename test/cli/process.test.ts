/** The command as a process of its own: what a shell, its pipes and its Ctrl-C make of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { compileCache } from "../support/compile-cache.ts";
import { DaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { runCommand, startCommand } from "../support/run-command.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const main = fileURLToPath(new URL("../../src/main.js", import.meta.url));
const model = "llama3.2";

/** `$foreman` in the script is the command. */
function startShell(script: string, url: string) {
  const child = spawn(
    "bash",
    ["-c", `set -o pipefail; foreman="${process.execPath} ${main}"; ${script}`],
    {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, FOREMAN_URL: url },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function runShell(script: string, url: string) {
  const child = startShell(script, url);
  const streams = [text(child.stdout), text(child.stderr)];
  const [[exitCode], out, err] = await Promise.all([once(child, "exit"), ...streams]);
  return { exitCode, out, err };
}

describe("the command as a process", () => {
  test("ends well when its reader has enough, and says so when nothing can be written", async () => {
    const sim = await startSim({ models: [{ name: model }] });
    const { url } = await startForeman(sim.url);

    const few = await runShell("$foreman status --watch 0.2 | head -1", url);
    expect(few).toMatchObject({ exitCode: 0, err: "", out: expect.stringMatching(/^\{.*\}\n$/) });
    const silent = "$foreman job nobody 2> >(exec true); echo $?";
    expect(await runShell(silent, url)).toMatchObject({ out: "1\n" });
    expect(await runShell("$foreman models >/dev/full", url)).toEqual({
      exitCode: 74,
      out: "",
      err: expect.stringMatching(/^foreman: cannot write .*ENOSPC.*\n$/),
    });
  });

  test("Ctrl-C ends it with 130, the work goes on, and a bar leaves the line to the words", async () => {
    const sim = await startSim({ models: [{ name: model }] });
    const { url } = await startForeman(sim.url);
    const env = { FOREMAN_URL: url };
    await runCommand(["pause"], { env });

    const child = startShell(`exec $foreman submit --model ${model} Why? --wait`, url);
    const queued = async () => (await runCommand(["jobs", "--state", "queued"], { env })).out;
    await until("the job waits", async () => (await queued()).includes(model));
    child.kill("SIGINT");
    // Before it waits, the signal itself ends it; shells call that 130, too.
    const [exitCode, signal] = await once(child, "exit");
    expect(exitCode ?? signal).toBeOneOf([130, "SIGINT"]);
    expect(await queued()).toContain(model);

    const items = JSON.stringify({
      request_id: "1",
      messages: [{ role: "user", content: "Why?" }],
    });
    const submit = ["batch", "submit", "-", "--model", model, "--wait"];
    const looking = startCommand(submit, { env, columns: 100, stdin: items });
    await until("the bar is shown", () => looking.written().err.includes("0 of 1"));
    looking.interrupt();
    const left = await looking.ended;
    expect(left.err).toContain("ETA unknown");
    expect(left.err).toMatch(/\nforeman: no longer looking/);
  });

  test("Ctrl-C is heard while foreman hangs", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close().closeAllConnections());
    const env = { FOREMAN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };

    const watch = startCommand(["status", "--watch"], { env });
    await once(server, "request");
    const interruptedAt = performance.now();
    watch.interrupt();

    expect(await watch.ended).toMatchObject({ exitCode: 0, err: "" });
    expect(performance.now() - interruptedAt).toBeLessThan(2_000);
  });

  test("waits for a batch though the daemon is killed meanwhile", async () => {
    const sim = await startSim({ models: [{ name: model, loadMs: 1, tokens: 2, tokenMs: 10 }] });
    const { databaseFile } = await startForeman(sim.url);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const settings = {
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(dirname(databaseFile), "other.db"),
    };
    const first = new DaemonProcess(settings);
    await first.listening(url);
    const items = Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({ request_id: `${i}`, messages: [{ role: "user", content: "Why?" }] }),
    );
    const submit = ["batch", "submit", "-", "--model", model, "--wait"];

    const waiting = startCommand(submit, { env: { FOREMAN_URL: url }, stdin: items.join("\n") });
    await until("some items have ended", () => waiting.written().err.includes("items have ended"));
    first.kill("SIGKILL");
    await until("it is missed", () => waiting.written().err.includes("waiting for foreman"));
    await new DaemonProcess(settings).listening(url);

    const { exitCode, out } = await waiting.ended;
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: "completed", completed_count: 40 });
  });
});
