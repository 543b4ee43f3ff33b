/**
 * scripts/install.sh into a folder as if it were /, and out of it again. npm is played: what it
 * brings is proven by the package's own test, and takes it half a minute.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { readTokenFile } from "../../src/access/token-file.ts";
import { readConfig } from "../../src/config.ts";

const script = fileURLToPath(new URL("../../scripts/install.sh", import.meta.url));
const lacks = (program: string) =>
  !process.env.CI && spawnSync(program, ["--version"]).error !== undefined;

/** Puts a program where the node package puts Node, and nothing else. */
const npm = `#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/node/bin"
printf '#!/bin/sh\\n' >"$2/node_modules/node/bin/node" && chmod 755 "$2/node_modules/node/bin/node"
case $2 in *.new) rm -r "$2/node_modules/node" ;; esac
exit "\${NPM_EXIT:-0}"
`;

/** The folder that plays /, and the script run on it. */
async function scene() {
  const home = await mkdtemp(join(tmpdir(), "foreman-install-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin/npm"), npm, { mode: 0o755 });
  const root = join(home, "root");
  const install = (args: readonly string[], env = {}) => {
    const PATH = `${join(home, "bin")}:${process.env.PATH}`;
    const { status, stderr, stdout } = spawnSync("bash", [script, "--root", root, ...args], {
      encoding: "utf8",
      env: { PATH, ...env },
    });
    return { status, said: stdout + stderr };
  };
  const at = (path: string) => join(root, path);
  const read = (path: string) => readFileSync(at(path), "utf8");
  const modeOf = (path: string) => (statSync(at(path)).mode & 0o777).toString(8);
  return { at, install, modeOf, read, root };
}

describe.skipIf(lacks("systemctl"))("install.sh", () => {
  test("installs, upgrades, rolls back and uninstalls, and keeps what is the operator's", async () => {
    const { at, install, modeOf, read, root } = await scene();

    expect(install(["--dry-run"]).status).toBe(0);
    expect(existsSync(root)).toBe(false);
    // A download that fails leaves nothing that a service would find.
    expect(install([], { NPM_EXIT: "1" }).status).not.toBe(0);
    expect(existsSync(at("opt/foreman"))).toBe(false);

    expect(install([])).toMatchObject({ status: 0 });
    expect(read("etc/foreman/token")).toMatch(/^[0-9a-f]{64}$/);
    expect(["etc/foreman", "etc/foreman/token", "etc/foreman/foreman.env"].map(modeOf)).toEqual([
      "700",
      "600",
      "600",
    ]);
    expect(readTokenFile(at("etc/foreman/tokens.json"))).toEqual([]);
    // A credential is a copy of the start: what a reload is to find is not one.
    const dropIn = read("etc/systemd/system/foreman.service.d/10-credentials.conf");
    expect(dropIn).toMatch(/^ExecReload=\+.* \/etc\/foreman\/tokens\.json (\S+)'$/m);
    const [, copy] = /^ExecReload=\+.* (\S+)'$/m.exec(dropIn) ?? [];
    expect(dropIn).toContain(`\nEnvironment=FOREMAN_TOKENS_FILE=${copy}\n`);
    const settings = Object.fromEntries(
      [...read("etc/foreman/foreman.env").matchAll(/^(\w+)=(.*)$/gm)].map(([, k, v]) => [k, v]),
    );
    expect(readConfig(settings).listen).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(readdirSync(at("etc/systemd/system/multi-user.target.wants"))).toEqual([
      "foreman.service",
    ]);
    expect(readdirSync(at("etc/systemd/system/sockets.target.wants"))).toEqual(["foreman.socket"]);
    expect(modeOf("opt/foreman/src/main.js")).toBe("644");
    expect(spawnSync("sh", ["-n", at("usr/local/bin/foreman")]).status).toBe(0);

    const token = read("etc/foreman/token");
    writeFileSync(at("etc/foreman/foreman.env"), 'FOREMAN_ADDR="127.0.0.1:9090"\n');
    writeFileSync(at("opt/foreman/first"), "");
    expect(install([])).toMatchObject({ status: 0 });
    expect(read("etc/foreman/token")).toBe(token);
    expect(read("etc/foreman/foreman.env")).toBe('FOREMAN_ADDR="127.0.0.1:9090"\n');
    const socket = read("etc/systemd/system/foreman.socket.d/10-address.conf");
    expect(socket).toContain("ListenStream=\nListenStream=127.0.0.1:9090\n");
    expect(existsSync(at("opt/foreman/first"))).toBe(false);
    expect(install(["--rollback"])).toMatchObject({ status: 0 });
    expect(existsSync(at("opt/foreman/first"))).toBe(true);

    expect(install(["--no-socket"])).toMatchObject({ status: 0 });
    expect(existsSync(at("etc/systemd/system/sockets.target.wants/foreman.socket"))).toBe(false);

    mkdirSync(at("var/lib/private/foreman"), { recursive: true });
    expect(install(["--uninstall"])).toMatchObject({ status: 0 });
    expect(readdirSync(at("opt"))).toEqual([]);
    expect(readdirSync(at("usr/local/bin"))).toEqual([]);
    expect(
      readdirSync(at("etc/systemd/system"), { recursive: true, encoding: "utf8" }).filter((name) =>
        name.includes("foreman"),
      ),
    ).toEqual([]);
    expect(read("etc/foreman/token")).toBe(token);
    expect(install(["--uninstall", "--purge"])).toMatchObject({ status: 0 });
    expect(existsSync(at("etc/foreman")) || existsSync(at("var/lib/private/foreman"))).toBe(false);
  });

  test("leaves a command that asks as root with the service's settings, and nobody else with its token", async () => {
    const { at, install, read } = await scene();
    expect(install([])).toMatchObject({ status: 0 });
    writeFileSync(at("etc/foreman/foreman.env"), "# its own\nFOREMAN_ADDR='0.0.0.0:9090'\n");
    const tells = `#!/bin/sh\nprintf '%s\\n' "$2" "$FOREMAN_URL" "$FOREMAN_CLIENT_TOKEN" "$STATE_DIRECTORY"\n`;
    writeFileSync(at("opt/foreman/node_modules/node/bin/node"), tells);
    const moved = read("usr/local/bin/foreman").replaceAll(/\/(opt|etc)\/foreman/g, (path) =>
      at(path.slice(1)),
    );
    writeFileSync(at("usr/local/bin/foreman"), moved);
    const asks = (args: readonly string[], env: Record<string, string> = {}) =>
      spawnSync(at("usr/local/bin/foreman"), args, {
        encoding: "utf8",
        env: { PATH: process.env.PATH, ...env },
      }).stdout.split("\n");
    const token = read("etc/foreman/token");
    const state = "/var/lib/private/foreman";

    expect(asks(["status"])).toEqual(["status", "http://127.0.0.1:9090", token, state, ""]);
    expect(asks(["status", "--url", "http://other:1"]).slice(1, 3)).toEqual(["", ""]);
    expect(asks(["status"], { FOREMAN_URL: "http://o:1" }).slice(1, 3)).toEqual(["http://o:1", ""]);
    expect(asks(["status"], { FOREMAN_CLIENT_TOKEN: "own" })[2]).toBe("own");
    // The daemon is systemd's to start.
    expect(asks(["serve"])).toEqual(["serve", "", "", "", ""]);
    expect(asks([])[0]).toBe("--help");
  });

  test("leaves units that systemd reads without a word, and refuses a call that it does not know", async () => {
    const { at, install } = await scene();

    expect(install(["--frobnicate"])).toMatchObject({ status: 64 });
    expect(install(["--rollback"])).toMatchObject({ status: 1 });
    expect(install([])).toMatchObject({ status: 0 });
    // What the unit starts must be there; systemd's own targets need not.
    mkdirSync(at("bin"));
    for (const program of ["kill", "sh"]) {
      writeFileSync(at(`bin/${program}`), "#!/bin/sh\n", { mode: 0o755 });
    }
    const units = ["foreman.service", "foreman.socket"].map(
      (unit) => `/etc/systemd/system/${unit}`,
    );
    const verify = () =>
      spawnSync(
        "systemd-analyze",
        ["verify", "--recursive-errors=no", `--root=${at("")}`, ...units],
        { encoding: "utf8" },
      );

    expect(verify()).toMatchObject({ status: 0, stderr: "" });
    const unit = at("etc/systemd/system/foreman.service");
    writeFileSync(unit, readFileSync(unit, "utf8").replace("WatchdogSec=30", "WatchdogSec=soon"));
    expect(verify().stderr).toMatch(/foreman\.service:\d+: Failed to parse sec value/);
  });
});

test.skipIf(lacks("shellcheck"))("no shell script has what shellcheck warns of", () => {
  const ci = fileURLToPath(new URL("../../.ci/run", import.meta.url));
  const { status, stdout } = spawnSync("shellcheck", [script, ci], { encoding: "utf8" });

  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
});
