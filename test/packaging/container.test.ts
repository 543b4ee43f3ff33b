/** The Dockerfile, as far as it can be held true where no container runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";

const root = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const dockerfile = readFileSync(root("Dockerfile"), "utf8").replaceAll(/\\\n\s*/g, "");
const [, assignments = ""] = /^ENV (.+)$/m.exec(dockerfile) ?? [];
const env: Record<string, string> = Object.fromEntries(
  assignments.split(/\s+/).map((each) => each.split("=")),
);

/** How the command of HEALTHCHECK ends before a foreman that answers so. */
async function healthOf(status: number): Promise<number> {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const [, words = "[]"] = /^HEALTHCHECK .*?CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [, ...args] = JSON.parse(words) as string[];
  const child = spawn(process.execPath, args, {
    env: { FOREMAN_ADDR: `0.0.0.0:${port}` },
    stdio: "ignore",
  });
  const [code] = (await once(child, "exit")) as [number];
  expect(asked).toEqual(["/healthz"]);
  return code;
}

test("the Dockerfile copies what is there and is let through to the builder", () => {
  const lines = readFileSync(root(".dockerignore"), "utf8").matchAll(/^!(.+)$/gm);
  const allowed = [...lines].map(([, name]) => name);
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
  const named = copies.flatMap(([, names = ""]) => names.split(" "));

  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !existsSync(root(name)) || !allowed.includes(name))).toEqual([]);
  expect(dockerfile).toMatch(/^USER [1-9]\d*/m);
});

test("the Dockerfile's settings are valid, and want a token", () => {
  const settings = Object.fromEntries(
    Object.entries(env).filter(([name]) => name.startsWith("FOREMAN_")),
  );

  expect(() => readConfig(settings)).toThrow(/FOREMAN_TOKEN/);
  const { databaseFile, listen } = readConfig({ ...settings, FOREMAN_TOKEN: "t" });
  expect({ databaseFile, listen }).toEqual({
    databaseFile: "/data/foreman.db",
    listen: { host: "0.0.0.0", port: 8080 },
  });
});

test("the Dockerfile's health check follows /healthz", async () => {
  expect(await healthOf(200)).toBe(0);
  expect(await healthOf(503)).toBe(1);
});
