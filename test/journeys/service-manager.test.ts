/**
 * The daemon under a service manager: a real socket of sd_notify(3) hears it, and a real listening
 * socket is passed on to it. systemd itself is not run; its unit is judged by its own analysis.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { KillScene } from "../support/kill-scene.ts";
import { lacksSystemd, ServiceManager } from "../support/service-manager.ts";
import { SocketHolder } from "../support/socket-holder.ts";
import { until } from "../support/until.ts";

const root = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-manager-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A PATH on which systemd-notify tells at once, but comes back late the first time. */
async function lingeringNotify(): Promise<string> {
  const folder = await emptyFolder();
  const real = spawnSync("sh", ["-c", "command -v systemd-notify"], { encoding: "utf8" });
  const late = `mkdir ${join(folder, "told")} 2>/dev/null && sleep 0.3`;
  const script = `#!/bin/sh\n${real.stdout.trim()} "$@"\n${late}\nexit 0\n`;
  await writeFile(join(folder, "systemd-notify"), script, { mode: 0o755 });
  return `${folder}:${process.env.PATH}`;
}

/** At SIGUSR2 the event loop stands still for longer than the manager's patience, and says when. */
const blocks = `process.on("SIGUSR2", () => {
  const until = performance.now() + 1_500;
  process.stdout.write("stands\\n");
  while (performance.now() < until);
  process.stdout.write("moves\\n");
})`;

describe.skipIf(lacksSystemd)("a service manager", () => {
  test.each(["path", "abstract name"])("P1 hears by a %s when foreman is ready", async (kind) => {
    const place = join(await emptyFolder(), "notify");
    const socket = kind === "path" ? place : `@${place}`;
    const manager = await ServiceManager.listen(socket);
    const scene = await KillScene.open();

    scene.spawn({ NOTIFY_SOCKET: socket, PATH: await lingeringNotify() });
    await manager.hears("READY=1", 20_000);
    const atOnce = await fetch(`${scene.url}/readyz`);
    // What it has heard, foreman does not know to be heard yet; a signal may come all the same.
    scene.daemon.kill("SIGHUP");
    await manager.hears("RELOADING=1");
    await until("it is ready again", () => manager.countOf("READY=1") === 2);
    const answer = await fetch(`${scene.url}/readyz`);
    scene.daemon.kill("SIGTERM");

    expect([atOnce.status, answer.status]).toEqual([200, 200]);
    expect(await scene.daemon.exited()).toBe(0);
    expect(manager.heard[0]).toEqual(["READY=1", expect.stringMatching(/^STATUS=0 wait, 0 run/)]);
    const stopping = ["STOPPING=1", "EXTEND_TIMEOUT_USEC=45000000", "STATUS=draining"];
    expect(manager.heard).toContainEqual(stopping);
    // Nobody asked for a watchdog.
    expect(manager.countOf("WATCHDOG=1")).toBe(0);
  });

  test("P1 hears that foreman lives while the target is away, not while its database is stuck", {
    timeout: 60_000,
  }, async () => {
    const socket = join(await emptyFolder(), "notify");
    const manager = await ServiceManager.listen(socket);
    const scene = await KillScene.open();
    await scene.sim.stop();

    scene.spawn({
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: "900000",
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(blocks)}`,
    });
    await manager.hears("READY=1", 20_000);
    await until("it lives", () => manager.countOf("WATCHDOG=1") >= 3);
    scene.daemon.kill("SIGUSR2");
    await until("its loop stands", () => scene.daemon.output.includes("stands\n"));
    const given = manager.countOf("WATCHDOG=1");
    await until("its loop moves", () => scene.daemon.output.includes("moves\n"));
    // One may have been under way: a loop that moved would have given five.
    expect(manager.countOf("WATCHDOG=1") - given).toBeLessThanOrEqual(1);
    await until("it lives again", () => manager.countOf("WATCHDOG=1") > given + 1);
    const other = new Database(scene.file);
    other.exec("BEGIN IMMEDIATE");
    const stuck = (each: readonly string[]) =>
      each.length === 1 && /^STATUS=.*(commit|database|write)/i.test(each[0] ?? "");
    await until("it says that it is stuck", () => manager.heard.some(stuck), 30_000);
    const signs = manager.countOf("WATCHDOG=1");
    await until("it would have lived", () => scene.daemon.output.includes("stands still"));
    other.exec("ROLLBACK");
    other.close();
    await until("it lives again", () => manager.countOf("WATCHDOG=1") > signs, 10_000);

    expect(manager.heard.some((each) => each.some((word) => /target away/.test(word)))).toBe(true);
  });
});

test("a journal hears by what priority foreman does not start", async () => {
  const file = join(await emptyFolder(), "journal");
  const stderr = openSync(file, "w");
  const { dev, ino } = fstatSync(stderr);

  const { status } = spawnSync(process.execPath, [root("src/main.js")], {
    env: { JOURNAL_STREAM: `${dev}:${ino}`, FOREMAN_ADDR: "nowhere", FOREMAN_PACE: "1" },
    stdio: ["ignore", "ignore", stderr],
  });
  closeSync(stderr);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");

  expect(status).toBe(78);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.filter((line) => !line.startsWith("<2>"))).toEqual([]);
});

describe.skipIf(lacksSystemd)("a socket that is passed on", () => {
  const command = [process.execPath, root("src/main.js")];

  test("X4 refuses no client while one foreman goes and the next one comes", {
    timeout: 60_000,
  }, async () => {
    const scene = await KillScene.open();
    const holder = await SocketHolder.open();
    const settings = { ...scene.settings, FOREMAN_ADDR: `127.0.0.1:${holder.port}` };
    const url = `http://127.0.0.1:${holder.port}/api/version`;

    const first = await holder.start(command, settings);
    const statuses: number[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        const answer = await fetch(url, { headers: { Connection: "close" } });
        await answer.arrayBuffer();
        statuses.push(answer.status);
      }
    })();
    await until("the first answers", () => statuses.length > 20, 20_000);
    process.kill(first, "SIGTERM");
    const end = await holder.ended();
    const answered = statuses.length;
    await holder.start(command, settings);
    await until("the next answers", () => statuses.length > answered + 20, 20_000);
    isOver = true;
    await asking;

    expect(end.code).toBe(0);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test("on another address than FOREMAN_ADDR is no place to start on", async () => {
    const scene = await KillScene.open();
    const holder = await SocketHolder.open();

    await holder.start(command, { ...scene.settings, FOREMAN_ADDR: "127.0.0.1:9" });
    const { code, said } = await holder.ended();

    expect(code).toBe(78);
    expect(said).toMatch(/FOREMAN_ADDR is 127\.0\.0\.1:9, but foreman\.socket listens on/);
  });
});

describe("foreman.service", () => {
  const lacksAnalysis =
    !process.env.CI && spawnSync("systemd-analyze", ["--version"]).error !== undefined;

  test.skipIf(lacksAnalysis)("P2 is exposed by 1.3 at most, by systemd's own measure", () => {
    const judged = spawnSync(
      "systemd-analyze",
      ["security", "--offline=true", "--threshold=13", "--no-pager", root("foreman.service")],
      { encoding: "utf8" },
    );

    expect(judged.stdout).toMatch(/Overall exposure level for foreman\.service: [\d.]+/);
    expect(judged.status).toBe(0);
  });

  test("speaks of files that are there, and of the address that foreman has by default", async () => {
    const unit = await readFile(root("foreman.service"), "utf8");
    const socket = await readFile(root("foreman.socket"), "utf8");
    const example = await readFile(root(".env.example"), "utf8");

    for (const [, path = ""] of unit.matchAll(/\/opt\/foreman\/([\w./-]+)/g)) {
      await expect(readFile(root(path)), path).resolves.toBeDefined();
    }
    const [, listens] = /^ListenStream=(.+)$/m.exec(socket) ?? [];
    expect(example).toContain(`FOREMAN_ADDR=${listens}`);
  });
});

test("a reload that is asked for before the daemon is up does not end it", async () => {
  const preload = new URL("../support/reload-early.ts", import.meta.url);
  const scene = await KillScene.open({}, { NODE_OPTIONS: `--import=${preload}` });

  await scene.boot();

  expect(scene.daemon.isOver).toBe(false);
});
