import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Clients } from "../../src/access/clients.ts";
import { hashOf, newToken } from "../../src/access/new-token.ts";
import { addToken, othersMayRead, readTokenFile } from "../../src/access/token-file.ts";
import { createLog } from "../../src/log.ts";
import { logLines } from "../support/log-lines.ts";

const hash = hashOf("s3cret");
const entry = { name: "ann", hash, scope: "user" } as const;
const emptyFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "foreman-tokens-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const fileWith = (document: unknown, mode = 0o600) => {
  const file = join(emptyFolder(), "tokens.json");
  writeFileSync(file, typeof document === "string" ? document : JSON.stringify(document), { mode });
  chmodSync(file, mode);
  return file;
};

describe("a token file", () => {
  test("gives its clients, with a weight of 1 and the highest class where none is said", () => {
    const tokens = [
      entry,
      { ...entry, name: "bob", hash: hashOf("b"), scope: "admin", weight: 2 },
    ].map((each, i) => (i === 0 ? each : { ...each, priority: "batch", slots: 2 }));

    expect(readTokenFile(fileWith({ tokens }))).toEqual([
      { ...entry, weight: 1, priority: "interactive" },
      tokens[1],
    ]);
  });

  test.each([
    ["a name twice", { tokens: [entry, { ...entry, hash: hashOf("b") }] }, "tokens.1.name: is"],
    ["a hash twice", { tokens: [entry, { ...entry, name: "b" }] }, "tokens.1.hash: is another's"],
    ["a token in the open", { tokens: [{ ...entry, hash: "s3cret" }] }, "tokens.0.hash: is"],
    ["no scope", { tokens: [{ name: "ann", hash }] }, "tokens.0.scope"],
    ["a scope that is none", { tokens: [{ ...entry, scope: "root" }] }, "tokens.0.scope"],
    ["a weight of 0", { tokens: [{ ...entry, weight: 0 }] }, "tokens.0.weight"],
    ["no slot at all", { tokens: [{ ...entry, slots: 0 }] }, "tokens.0.slots"],
    ["a class that is none", { tokens: [{ ...entry, priority: "low" }] }, "tokens.0.priority"],
    ["FOREMAN_TOKEN's name", { tokens: [{ ...entry, name: "default" }] }, "tokens.0.name"],
    ["a member that is not known", { tokens: [{ ...entry, wieght: 2 }] }, "wieght"],
    ["no JSON", '{"tokens": s3cret', "is not JSON"],
    ["no object", "[]", "the file: "],
    ["a name of 65", { tokens: [{ ...entry, name: "a".repeat(65) }] }, "tokens.0.name: is 1 to 64"],
    ["a name after a blank", { tokens: [{ ...entry, name: " ann" }] }, "tokens.0.name: is 1 to 64"],
    [
      "a hash and more",
      { tokens: [{ ...entry, hash: `${hash}0` }] },
      'tokens.0.hash: is "sha256:"',
    ],
    [
      "more than a hash",
      { tokens: [{ ...entry, hash: ` ${hash}` }] },
      'tokens.0.hash: is "sha256:"',
    ],
  ])("with %s is refused, naming file and entry but no secret", (_, document, cause) => {
    const file = fileWith(document);

    expect(() => readTokenFile(file)).toThrow(
      expect.objectContaining({ code: "config_invalid", message: expect.stringContaining(cause) }),
    );
    expect(() => readTokenFile(file)).toThrow(file);
    expect(() => readTokenFile(file)).not.toThrow(/s3cret/);
  });

  test.each([0o640, 0o604, 0o620])("of mode %o is refused, saying what to run", (mode) => {
    const file = fileWith({ tokens: [] }, mode);
    // A group of more than root's, should root run this.
    if (process.getuid?.() === 0) chownSync(file, 0, 12_345);

    expect(() => readTokenFile(file)).toThrow(`chmod 600 ${file}`);
  });

  test.each([
    ["its owner's alone", 0o100400, 1_000, false],
    ["a credential of systemd's, open to root's group", 0o100440, 0, false],
    ["open to another group", 0o100440, 1_000, true],
    ["open to all", 0o100444, 0, true],
  ])("is %s: mode %o, group %i: others may read it: %s", (_, mode, gid, mayRead) => {
    expect(othersMayRead({ mode, gid })).toBe(mayRead);
  });

  test("is made and grown by addToken, for its owner alone and without the token", () => {
    const file = join(emptyFolder(), "tokens.json");
    const [first, second] = [newToken(), newToken()];
    addToken(file, { name: "ann", hash: hashOf(first), scope: "user" });
    addToken(file, { name: "bob", hash: hashOf(second), scope: "admin" });

    expect(first).toMatch(/^fm_[\w-]{43}$/);
    expect(first).not.toBe(second);
    expect(readTokenFile(file).map(({ name }) => name)).toEqual(["ann", "bob"]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toContain(first);
    expect(readdirSync(join(file, ".."))).toEqual(["tokens.json"]);
  });

  test("is left alone by an entry whose name is taken", () => {
    const file = fileWith({ tokens: [entry] });
    const before = readFileSync(file, "utf8");

    expect(() => addToken(file, { ...entry, hash: hashOf("b") })).toThrow(/name: is there twice/);
    expect(readFileSync(file, "utf8")).toBe(before);
  });
});

describe("clients", () => {
  test("A5: keep the tokens that they have when the file is broken, and say why", () => {
    const file = fileWith({ tokens: [{ ...entry, weight: 3 }] });
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => void lines.push(line) });
    const clients = new Clients({ token: "d3fault", file, log });
    writeFileSync(file, '{"tokens": [s3cret');
    clients.reload();

    expect(clients.find("s3cret")).toMatchObject({ name: "ann", scope: "user" });
    expect(clients.find("d3fault")).toMatchObject({ name: "default", scope: "admin" });
    expect([clients.weightOf("ann"), clients.weightOf("nobody")]).toEqual([3, 1]);
    expect(lines.join("")).toContain(`${file}: is not JSON`);
    expect(lines.join("")).not.toContain("s3cret");
  });

  test("A3: take as long to know the first token, the last one, and nobody's", () => {
    const names = Array.from({ length: 500 }, (_, i) => `client${i}`);
    const tokens = names.map((name) => ({ name, hash: hashOf(name), scope: "user" }));
    const clients = new Clients({
      token: null,
      file: fileWith({ tokens }),
      log: createLog("silent"),
    });
    const asked = ["client0", "client499", "client49x"];
    const tookMs = asked.map((): number[] => []);

    // In turns, so that whatever else the machine does falls on all alike.
    for (let turn = 0; turn < 300; turn++) {
      for (const [i, token] of asked.entries()) {
        const sinceMs = performance.now();
        clients.find(token);
        tookMs[i]?.push(performance.now() - sinceMs);
      }
    }

    const medians = tookMs.map((each) => each.toSorted((a, b) => a - b)[150] ?? 0);
    // One that stopped at the first would be a hundred times as fast.
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.5);
  });

  test("are nobody when the file has no entry: it lets nobody in", () => {
    const log = createLog("silent");
    const clients = new Clients({ token: null, file: fileWith({ tokens: [] }), log });

    expect([clients.isAsked, clients.find("")]).toEqual([true, null]);
  });

  test("A5: are those of the file as it is now, after a SIGHUP, and the log tells how many", () => {
    const file = fileWith({ tokens: [entry] });
    const { lines, log } = logLines();
    const clients = new Clients({ token: "d3fault", file, log });
    const bob = { name: "bob", hash: hashOf("b"), scope: "admin" } as const;
    const limits = { priority: "batch", slots: 2, weight: 3 };
    writeFileSync(file, JSON.stringify({ tokens: [{ ...bob, ...limits }] }));

    clients.reload();

    expect([clients.find("s3cret"), clients.find("b")?.name]).toEqual([null, "bob"]);
    expect([clients.slotsOf("bob"), clients.slotsOf("ann")]).toEqual([2, null]);
    expect([clients.topClassOf("bob"), clients.topClassOf("ann")]).toEqual([
      "batch",
      "interactive",
    ]);
    expect(lines).toMatchObject([{ msg: "tokens read anew", file, clients: 2 }]);
  });

  test("A5: stay as they are at a SIGHUP without a file, and the log says what it is for", () => {
    const { lines, log } = logLines();
    const clients = new Clients({ token: "d3fault", file: null, log });

    clients.reload();

    expect(clients.find("d3fault")?.name).toBe("default");
    expect(lines).toMatchObject([{ msg: expect.stringContaining("FOREMAN_TOKENS_FILE is not") }]);
  });
});
