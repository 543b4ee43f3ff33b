/**
 * The package as a stranger gets it: made, installed into an empty folder with nothing on PATH but
 * node, npm and a shell, and run from another one. What it depends on comes from npm's own cache.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-package-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A PATH without a compiler, make or Python. */
async function barePath(folder: string): Promise<string> {
  await mkdir(folder);
  const found = (name: string) =>
    execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  await symlink(process.execPath, join(folder, "node"));
  for (const name of ["npm", "sh"]) await symlink(found(name), join(folder, name));
  return folder;
}

/** What its modules name beside themselves and is not there. */
function missingFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .flatMap((name) => {
      const code = readFileSync(join(folder, name), "utf8");
      const named = code.matchAll(
        /(?:from|import\(|import) ?"(\.[^"$]*)"|URL\("(\.[^"]*)", import\.meta\.url/g,
      );
      return [...named].map(([, module, url]) => join(folder, dirname(name), module ?? url ?? ""));
    })
    .filter((path) => !existsSync(path) && !path.includes("node_modules/.cache"));
}

test("P6 a package installs without a compiler, serves from any folder, and refuses an old Node", {
  timeout: 180_000,
}, async () => {
  const home = await emptyFolder();
  const made = execFileSync("npm", ["run", "--silent", "package", "--", home], {
    cwd: root,
    encoding: "utf8",
  });
  const PATH = await barePath(join(home, "bin"));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", made.trim()];
  const installed = spawnSync("npm", [...install, "--prefix", home], {
    cwd: home,
    env: { ...process.env, PATH },
    encoding: "utf8",
  });
  expect(installed.stderr).not.toMatch(/error/i);
  expect(installed.status).toBe(0);
  const own = join(home, "node_modules/foreman");
  expect(missingFiles(join(own, "src"))).toEqual([]);

  const sim = await startSim({ models: [{ name: "qwen3" }] });
  const port = await freePort();
  const elsewhere = await emptyFolder();
  const program = join(home, "node_modules/.bin/foreman");
  const FOREMAN_TOKENS_FILE = join(elsewhere, "tokens.json");
  const add = ["token", "add", "operator", "--scope", "admin"];
  const token = execFileSync(program, add, {
    env: { PATH, FOREMAN_TOKENS_FILE },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
  const daemon = spawn(program, ["serve"], {
    cwd: elsewhere,
    env: {
      PATH,
      FOREMAN_TOKENS_FILE,
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: sim.url,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void daemon.kill("SIGKILL"));
  let output = "";
  daemon.stdout.on("data", (bytes) => {
    output += bytes;
  });
  await until("it listens", () => output.includes("foreman listening"), 30_000);

  const headers = { Authorization: `Bearer ${token}` };
  const url = `http://127.0.0.1:${port}`;
  const ask = async (method: string, path: string, body?: object) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
    expect(answer.status, path).toBeLessThan(300);
    return (await answer.json()) as Record<string, unknown>;
  };
  expect((await fetch(`${url}/api/version`)).status).toBe(401);
  expect(await ask("GET", "/api/version")).toEqual({ version: "0.33.0" });
  // Each thread that it starts is a file of its own: of the batch, of its schema, of the backup.
  const batch = await ask("POST", "/api/runtime/llm/batch", {
    provider: "ollama",
    model: "qwen3",
    job_type: "fit",
    items: [
      {
        request_id: "a",
        messages: [{ role: "user", content: "Does it fit?" }],
        response_format: {
          type: "object",
          properties: { fit: { type: "boolean" } },
          required: ["fit"],
        },
      },
    ],
  });
  const results = `/api/runtime/llm/jobs/${batch.job_id}/results`;
  const json = async () => ((await ask("GET", results)).results as { json?: unknown }[])[0]?.json;
  await until("the batch is done", async () => (await json()) !== undefined, 15_000);
  expect(await json()).toEqual({ fit: expect.any(Boolean) });
  expect(await ask("POST", "/foreman/backup")).toMatchObject({ bytes: expect.any(Number) });
  // The page is stripped of its types when it is packed, not when it is asked for.
  const page = await (await fetch(`${url}/foreman/`)).text();
  const [, script] = /<script type="module" src="([^"]+)"/.exec(page) ?? [];
  const code = await fetch(`${url}/foreman/${script}`);
  expect({ script, status: code.status }).toEqual({ script: "page/main.js", status: 200 });
  daemon.kill("SIGTERM");
  expect(await once(daemon, "exit")).toEqual([0, null]);

  // The guard reads what a Node says of itself, and asks for nothing that an old one has not.
  const old = `Object.defineProperty(process, "versions", { value: { node: "20.20.2" } })`;
  const refused = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(old)}`, join(own, "src/main.js")],
    { encoding: "utf8" },
  );
  expect(refused.status).toBe(78);
  expect(refused.stderr).toMatch(/^foreman needs Node 22\.19 or newer; this is 20\.20\.2 .*\n$/);
});
