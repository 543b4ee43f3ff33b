import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { runCommand } from "../support/run-command.ts";
import { startSim } from "../support/start-sim.ts";

type Finding = {
  readonly level: string;
  readonly subject: string;
  readonly found: string;
  readonly remedy: string | null;
};

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "foreman-doctor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A simulated Ollama in a process with an environment of its own. */
async function startSimProcess(env: Readonly<Record<string, string>>) {
  const main = fileURLToPath(new URL("../support/sim-ollama/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [words] = (await once(child.stdout, "data")) as [Buffer];
  const [url = ""] = /http:\S+/.exec(words.toString()) ?? [];
  return { url, pid: child.pid };
}

async function examine(env: Readonly<Record<string, string>>) {
  const { err, exitCode, out } = await runCommand(["doctor"], { env });
  expect(err).toBe("");
  const { findings } = JSON.parse(out) as { findings: readonly Finding[] };
  const of = (subject: string) => findings.filter((each) => each.subject === subject);
  return { exitCode, findings, of };
}

describe("the doctor", () => {
  test("finds a sound place sound, and leaves nothing behind there", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2" }, { name: "nomic-embed-text" }] });
    const folder = emptyFolder();

    const { exitCode, findings, of } = await examine({
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_ADDR: `127.0.0.1:${await freePort()}`,
      FOREMAN_DB: join(folder, "foreman.db"),
      FOREMAN_EMBED_MODEL: "nomic-embed-text",
      FOREMAN_TOKEN: "s3cret",
    });

    expect(exitCode).toBe(0);
    expect(of("target")).toMatchObject([{ level: "ok", found: `Ollama 0.33.0 at ${sim.url}` }]);
    // Its process is this one, which is no Ollama and has none of its settings.
    const stranger = { level: "unknown", found: expect.stringMatching(/ is .+, not Ollama$/) };
    expect(of("OLLAMA_MAX_LOADED_MODELS")).toMatchObject([stranger]);
    expect(of("OLLAMA_NUM_PARALLEL")).toMatchObject([stranger]);
    expect(of("disk")[0]?.found).toMatch(/\d+ durable writes a second/);
    expect(of("port")).toMatchObject([{ level: "warning", found: expect.stringMatching(/free/) }]);
    expect(readdirSync(folder)).toEqual([]);
    expect(JSON.stringify(findings)).not.toContain("s3cret");
  });

  test("looks into the process at the target's port, and says where it cannot", async () => {
    const sim = await startSimProcess({ OLLAMA_MAX_LOADED_MODELS: "1", OLLAMA_NUM_PARALLEL: "4" });
    const env = { FOREMAN_OLLAMA_URL: sim.url, FOREMAN_EMBED_MODEL: "nomic-embed-text" };
    const inside = await examine({ ...env, OLLAMA_NUM_PARALLEL: "1" });
    expect(inside.of("OLLAMA_MAX_LOADED_MODELS")).toMatchObject([
      {
        level: "warning",
        found: `1 for Ollama (process ${sim.pid})`,
        remedy: expect.stringContaining("set it to 2 or more"),
      },
    ]);
    expect(inside.of("OLLAMA_NUM_PARALLEL")).toMatchObject([{ level: "warning" }]);

    const sparse = await startSimProcess({ OLLAMA_HOST: "127.0.0.1" });
    const unset = await examine({ ...env, FOREMAN_OLLAMA_URL: sparse.url });
    expect(unset.of("OLLAMA_MAX_LOADED_MODELS")).toMatchObject([
      { level: "ok", found: expect.stringContaining("not set for Ollama") },
    ]);

    const nowhere = { FOREMAN_OLLAMA_URL: `http://127.0.0.1:${await freePort()}` };
    const outside = await examine({ ...nowhere, OLLAMA_NUM_PARALLEL: "1" });
    expect(outside.of("OLLAMA_NUM_PARALLEL")).toMatchObject([
      { level: "ok", found: "1 in this environment" },
    ]);
    const blind = await examine(nowhere);
    expect(blind.of("OLLAMA_NUM_PARALLEL")).toMatchObject([
      { level: "unknown", remedy: expect.stringContaining("systemctl show ollama") },
    ]);
  });

  test("names the models that foreman should have and the target lacks", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2" }] });

    const { exitCode, of } = await examine({
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_ADDR: `127.0.0.1:${await freePort()}`,
      FOREMAN_DB: join(emptyFolder(), "foreman.db"),
      FOREMAN_EMBED_MODEL: "nomic-embed-text",
      FOREMAN_REQUIRED_MODELS: "library/Llama3.2:latest,qwen3.6",
    });

    const found = "1 models, qwen3.6 is missing, nomic-embed-text is missing";
    expect(of("models")).toMatchObject([{ level: "warning", found }]);
    expect(exitCode).toBe(0);
  });

  test("finds files of secrets that others may read", async () => {
    const sim = await startSim();
    const folder = emptyFolder();
    const secret = (name: string, mode: number) => {
      const file = join(folder, name);
      writeFileSync(file, "s3cret\n");
      chmodSync(file, mode);
      return file;
    };
    const [open, group] = [secret("open", 0o644), secret("group", 0o640)];
    const { exitCode, of, findings } = await examine({
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_DB: join(folder, "foreman.db"),
      FOREMAN_TOKEN_FILE: open,
      FOREMAN_OLLAMA_TOKEN_FILE: group,
    });

    expect(exitCode).toBe(1);
    expect(of("FOREMAN_TOKEN_FILE")).toMatchObject([
      { level: "fault", remedy: expect.stringContaining(`chmod 600 ${open}`) },
    ]);
    expect(of("FOREMAN_OLLAMA_TOKEN_FILE")).toMatchObject([{ level: "ok" }]);
    expect(JSON.stringify(findings)).not.toContain("s3cret");
  });

  test("names each fault with what to do about it", async () => {
    const other = createServer((_, response) => {
      response.setHeader("Date", "Fri, 20 Nov 2020 22:00:00 GMT");
      response.end('{"version":"0.33.0","models":[]}');
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const folder = emptyFolder();
    const open = join(folder, "open.json");
    writeFileSync(open, "{}");
    chmodSync(open, 0o644);

    const ill = await examine({
      FOREMAN_OLLAMA_URL: `http://${address}`,
      FOREMAN_ADDR: address,
      FOREMAN_DB: join(folder, "none", "foreman.db"),
      FOREMAN_TOKENS_FILE: open,
      FOREMAN_EMBED_MODEL: "nomic-embed-text",
    });
    expect(ill.exitCode).toBe(1);
    expect(ill.of("clock")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("models")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("tokens")).toMatchObject([{ level: "fault", remedy: `chmod 600 ${open}` }]);
    expect(ill.of("foreman")).toMatchObject([{ level: "fault" }]);
    expect(ill.of("disk")).toMatchObject([{ level: "warning" }]);
    const remedied = ill.findings.filter(({ level }) => level === "warning" || level === "fault");
    expect(remedied.every(({ remedy }) => remedy !== null)).toBe(true);

    const away = await examine({ FOREMAN_OLLAMA_URL: `http://127.0.0.1:${await freePort()}` });
    expect(away.of("target")).toMatchObject([
      { level: "fault", found: expect.stringMatching(/ECONNREFUSED/) },
    ]);
    const mistyped = await examine({ FOREMAN_CHAT_SLOT: "1" });
    expect(mistyped.findings).toMatchObject([
      { level: "fault", found: expect.stringMatching(/FOREMAN_CHAT_SLOT\b/) },
    ]);
  });
});
