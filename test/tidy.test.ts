/** The rules of style that no linter knows, read off the files that git tracks. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { faultCatalogue } from "./support/fault-catalogue.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter(Boolean);
const sources = files.filter((file) => /^src\/.*\.(ts|js)$/.test(file));
const read = (file: string) => readFileSync(`${root}/${file}`, "utf8");
const offending = (list: readonly string[], isOffence: (file: string) => boolean) =>
  list.filter(isOffence);

describe("the project", () => {
  test("has no source file past 250 lines and no line past 100 columns", () => {
    const long = offending(sources, (file) => read(file).split("\n").length > 251);
    const wide = offending(sources, (file) => /^.{101,}$/m.test(read(file)));

    expect({ long, wide }).toEqual({ long: [], wide: [] });
  });

  test("has no bags without a noun of their own", () => {
    const bags = /\/(utils?|helpers?|types|interfaces|misc|common|lib|index|manager)\.ts$/;

    expect(offending(files, (file) => bags.test(file))).toEqual([]);
  });

  test("reads time and chance through the seams alone", () => {
    const seams = [
      "src/clock.ts",
      "src/page/page-clock.ts",
      "src/target/via.ts",
      "src/http/request-id.ts",
      "src/access/new-token.ts",
    ];
    const direct =
      /\b(Date\.now|new Date\(|Math\.random\(|performance\.now|(?<!\.)setTimeout\(|randomBytes\()/;

    const offenders = offending(
      sources.filter((file) => !seams.includes(file)),
      (file) => direct.test(read(file)),
    );
    expect(offenders).toEqual([]);
  });

  test("asks for no exception from the compiler and keeps no dead code in comments", () => {
    const excuses = /@ts-(ignore|expect-error|nocheck)|biome-ignore|\bas any\b|: any\s*[,;=)\]]/;
    const deadCode = /^\s*\/\/.*[;{]\s*$/m;

    expect(offending(sources, (file) => excuses.test(read(file)))).toEqual([]);
    expect(offending(sources, (file) => deadCode.test(read(file)))).toEqual([]);
  });

  test("numbers its migrations without a gap", () => {
    const numbers = files
      .filter((file) => file.startsWith("src/store/migrations/sqlite/"))
      .map((file) => Number(/(\d{4})_[a-z_]+\.sql$/.exec(file)?.[1]));

    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
  });

  test("gives each page one title and each ADR a number and a status", () => {
    const pages = files.filter((file) => file.endsWith(".md"));
    const adrs = files.filter((file) => file.startsWith("docs/adr/"));

    const titles = (file: string) =>
      read(file)
        .replaceAll(/^```[\s\S]*?^```/gm, "")
        .match(/^# /gm)?.length ?? 0;
    expect(offending(pages, (file) => titles(file) !== 1)).toEqual([]);
    expect(offending(adrs, (file) => !/\/\d{4}-[a-z0-9-]+\.md$/.test(file))).toEqual([]);
    const status = /^\**Status:?\**:? *(proposed|accepted|superseded by \d{4})/im;
    expect(
      offending(adrs, (file) => !status.test(read(file).replace(/^## Status\s+/m, "Status: "))),
    ).toEqual([]);
    expect(offending(adrs, (file) => read(file).split("\n").length > 42)).toEqual([]);
  });

  test("lists every setting in .env.example, and no other", () => {
    const listed = [...read(".env.example").matchAll(/^#? ?((?:FOREMAN|NEMOCLAW)_\w+)=/gm)].map(
      ([, name]) => name,
    );
    const known = [...read("src/config.ts").matchAll(/^ {4}((?:FOREMAN|NEMOCLAW)_\w+):/gm)].map(
      ([, name]) => name,
    );

    expect(listed.toSorted()).toEqual(known.toSorted());
  });

  test("names only tests that there are in docs/reliability.md", () => {
    const named = [...read("docs/reliability.md").matchAll(/\| `(test\/[^`]+)`: "([^"]+)" \|$/gm)];

    expect(named.length).toBeGreaterThan(30);
    const missing = named.filter(([, file = "", name = ""]) => !read(file).includes(name));
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  test("has a row for each case in docs/reliability.md, and the tests that it names", () => {
    const rows = [...read("docs/reliability.md").matchAll(/^\| ([A-Z]\d+) \| [^|]+ \| (.+) \|$/gm)];
    const named = rows.map(
      ([, id, by = ""]) => [id, /^`(test\/[^`]+)`: "([^"]+)"/.exec(by)] as const,
    );

    expect(rows.map(([, id]) => id)).toEqual(faultCatalogue.map(([id]) => id));
    const missing = named.filter(([, by]) => by && !read(by[1] ?? "").includes(by[2] ?? ""));
    expect(missing.map(([id]) => id)).toEqual([]);
    expect(named.filter(([, by]) => by).length).toBeGreaterThan(70);
  });

  test("tells one version and one oldest Node everywhere", () => {
    const manifest = JSON.parse(read("package.json")) as {
      version: string;
      engines: { node: string };
    };
    const least = /const least = \[(\d+), (\d+)\]/.exec(read("src/main.js"));

    expect(read("src/foreman.ts")).toContain(`foremanVersion = "${manifest.version}"`);
    expect(manifest.engines.node).toBe(`>=${least?.[1]}.${least?.[2]}`);
  });
});
