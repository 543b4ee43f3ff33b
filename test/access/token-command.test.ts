import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { hashOf } from "../../src/access/new-token.ts";
import { runTokenCommand } from "../../src/access/token-command.ts";
import { readTokenFile } from "../../src/access/token-file.ts";

let said = { out: "", err: "" };

beforeEach(() => {
  said = { out: "", err: "" };
  for (const [name, stream] of [
    ["out", process.stdout],
    ["err", process.stderr],
  ] as const) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "foreman-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "tokens.json");
}

/** Runs the command; answers what it printed, and its exit code: 0 if it set none. */
function run(args: readonly string[], env: Record<string, string> = {}) {
  said = { out: "", err: "" };
  process.exitCode = undefined;
  runTokenCommand(args, env);
  const code = process.exitCode ?? 0;
  process.exitCode = undefined;
  return { ...said, code };
}

describe("foreman token add", () => {
  test("adds a user with the usual limits, and shows its token once, alone on stdout", () => {
    const file = newFile();

    const { code, err, out } = run(["add", "ann"], { FOREMAN_TOKENS_FILE: file });

    expect(code).toBe(0);
    expect(out).toMatch(/^fm_[\w-]{43}\n$/);
    expect(err).toBe(
      `"ann" (user) is in ${file}. The token is shown this once. ` +
        "Send foreman SIGHUP, and it is valid.\n",
    );
    expect(readTokenFile(file)).toEqual([
      { name: "ann", scope: "user", priority: "interactive", weight: 1, hash: hashOf(out.trim()) },
    ]);
  });

  test("takes scope, ceiling, weight, slots and the file from its options", () => {
    const file = newFile();
    const options = ["--scope", "admin", "--priority", "batch", "--weight", "2.5", "--slots", "3"];

    const { code } = run(["add", "bob", ...options, "--file", file], {
      FOREMAN_TOKENS_FILE: "/nowhere/else.json",
    });

    expect(code).toBe(0);
    const facts = { scope: "admin", priority: "batch", weight: 2.5, slots: 3 };
    expect(readTokenFile(file)).toMatchObject([{ name: "bob", ...facts }]);
  });

  test.each([
    ["nothing", [], "usage: foreman token add NAME"],
    ["no name", ["add"], "usage: foreman token add NAME"],
    ["another verb", ["rename", "ann"], "usage: foreman token add NAME"],
    ["nobody to remove", ["remove"], "foreman token remove NAME [--file FILE]"],
    ["two names", ["add", "ann", "bob"], "usage: foreman token add NAME"],
    ["an unknown option", ["add", "ann", "--wieght", "2"], "--wieght"],
    ["an unknown scope", ["add", "ann", "--scope", "root"], "--scope is user or admin"],
    ["an unknown class", ["add", "ann", "--priority", "low"], "--priority is interactive or batch"],
  ])("exits 64 for %s, saying how it is called, and writes nothing", (_, args, cause) => {
    const file = newFile();

    const { code, err, out } = run(args, { FOREMAN_TOKENS_FILE: file });

    expect(code).toBe(64);
    expect(err).toMatch(/^foreman: /);
    expect(err).toContain(cause);
    expect(err).toContain("usage: foreman token add NAME [--scope user|admin]");
    expect(err).toContain("[--priority interactive|batch]");
    expect(err).toContain("[--weight 1] [--slots N] [--file FILE]");
    expect(out).toBe("");
    expect(() => readFileSync(file)).toThrow(/ENOENT/);
  });

  test.each([{}, { FOREMAN_TOKENS_FILE: "" }])("exits 64 when no file is named: %j", (env) => {
    const { code, err } = run(["add", "ann"], env);

    expect(code).toBe(64);
    expect(err).toMatch(/neither FOREMAN_TOKENS_FILE nor --file names a file\nusage:/);
  });

  test.each([
    ["a name that is taken", ["add", "ann"], 'cannot add "ann": name: is there twice'],
    ["a name that is none", ["add", "a b"], "letters, digits, dots, dashes or underscores"],
    ["foreman's own name", ["add", "default"], '"default" is FOREMAN_TOKEN\'s'],
    ["a weight of nothing", ["add", "bob", "--weight", "0"], "weight: "],
    ["a weight that is no number", ["add", "bob", "--weight", "x"], "weight: "],
    ["no slot", ["add", "bob", "--slots", "0"], "slots: "],
  ])("exits 78 for %s, and leaves the file as it was", (_, args, cause) => {
    const file = newFile();
    run(["add", "ann", "--file", file]);
    const before = readFileSync(file, "utf8");

    const { code, err, out } = run([...args, "--file", file]);

    expect(code).toBe(78);
    expect(err).toContain(cause);
    expect(out).toBe("");
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("exits 78 when the file cannot be made, or another is under way, and says what to do", () => {
    const file = newFile();
    writeFileSync(`${file}.new`, "");

    const under = run(["add", "ann", "--file", file]);
    const nowhere = run(["add", "ann", "--file", "/nowhere/at/all.json"]);

    expect([under.code, nowhere.code]).toEqual([78, 78]);
    expect(under.err).toContain(`${file}.new: cannot be made`);
    expect(under.err).toContain("one was cut off, and the file may be deleted");
    expect(nowhere.err).toContain("ENOENT");
  });
});

describe("foreman token remove", () => {
  test("takes that client out, and leaves the others as they are", () => {
    const file = newFile();
    run(["add", "ann", "--weight", "2", "--file", file]);
    const before = readTokenFile(file);
    run(["add", "bob", "--file", file]);

    const { code, err, out } = run(["remove", "bob"], { FOREMAN_TOKENS_FILE: file });

    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toMatch(/^"bob" is no longer in .*SIGHUP/);
    expect(readTokenFile(file)).toEqual(before);
  });

  test("exits 78 for a name that is not there, and names those that are", () => {
    const file = newFile();
    run(["add", "ann", "--file", file]);
    const before = readFileSync(file, "utf8");

    const { code, err } = run(["remove", "bob", "--file", file]);

    expect(code).toBe(78);
    expect(err).toBe(`foreman: ${file}: there is no "bob" in it, but ann\n`);
    expect(readFileSync(file, "utf8")).toBe(before);
    // What was begun is not in the way of the next.
    expect(run(["remove", "ann", "--file", file]).code).toBe(0);
  });
});
