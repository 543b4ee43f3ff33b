import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

async function examine(env: Readonly<Record<string, string>>) {
  const { err, exitCode, out } = await runCommand(["doctor"], { env });
  expect(err).toBe("");
  const { findings } = JSON.parse(out) as { findings: readonly Finding[] };
  const of = (subject: string) => findings.filter((each) => each.subject === subject);
  return { exitCode, findings, of };
}

describe("the doctor", () => {
  test("finds a sound place sound, and leaves nothing behind there", async () => {
    const sim = await startSim({ models: [{ name: "llama3.2" }] });
    const folder = emptyFolder();

    const { exitCode, findings, of } = await examine({
      FOREMAN_OLLAMA_URL: sim.url,
      FOREMAN_ADDR: `127.0.0.1:${await freePort()}`,
      FOREMAN_DB: join(folder, "foreman.db"),
      FOREMAN_EMBED_MODEL: "nomic-embed-text",
      FOREMAN_TOKEN: "s3cret",
      OLLAMA_MAX_LOADED_MODELS: "2",
    });

    expect(exitCode).toBe(0);
    expect(of("target")).toMatchObject([{ level: "ok", found: `Ollama 0.33.0 at ${sim.url}` }]);
    expect(of("OLLAMA_MAX_LOADED_MODELS")).toMatchObject([{ level: "ok" }]);
    expect(of("OLLAMA_NUM_PARALLEL")).toMatchObject([{ level: "unknown" }]);
    expect(of("disk")[0]?.found).toMatch(/\d+ durable writes a second/);
    expect(of("port")).toMatchObject([{ level: "warning", found: expect.stringMatching(/free/) }]);
    expect(readdirSync(folder)).toEqual([]);
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
      OLLAMA_MAX_LOADED_MODELS: "1",
      OLLAMA_NUM_PARALLEL: "4",
    });
    expect(ill.exitCode).toBe(1);
    expect(ill.of("clock")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("models")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("tokens")).toMatchObject([{ level: "fault", remedy: `chmod 600 ${open}` }]);
    expect(ill.of("foreman")).toMatchObject([{ level: "fault" }]);
    expect(ill.of("disk")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("OLLAMA_MAX_LOADED_MODELS")).toMatchObject([{ level: "warning" }]);
    expect(ill.of("OLLAMA_NUM_PARALLEL")).toMatchObject([{ level: "warning" }]);
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
