/**
 * `npm run package`: makes `dist/foreman-VERSION.tgz`, a package that installs without a compiler.
 * Node strips types nowhere below `node_modules`, so the package holds the same files at the same
 * places with their types blanked out: lines and columns are those of the sources, and no maps are
 * needed. Not npm's `prepack`, for `.npmrc` lets no script run unasked.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const destination = process.argv[2] ?? join(root, "dist");
const staging = join(destination, "package");

/** What goes along as it is. */
const companions = [
  "docs",
  "README.md",
  "CHANGELOG.md",
  "foreman.service",
  "foreman.socket",
  ".env.example",
  "scripts/install.sh",
];

/** "./x.ts" of an import or a `new URL`; what is named otherwise keeps its name. */
const ownFile = /(["'])(\.{1,2}\/[^"'\n]*)\.ts\1/g;

function addSource(file: string): void {
  const from = join(root, "src", file);
  const to = join(staging, "src", file);
  mkdirSync(dirname(to), { recursive: true });
  if (!/\.[jt]s$/.test(file)) {
    cpSync(from, to);
    return;
  }
  const code = readFileSync(from, "utf8");
  const plain = file.endsWith(".ts") ? stripTypeScriptTypes(code) : code;
  writeFileSync(to.replace(/\.ts$/, ".js"), plain.replaceAll(ownFile, "$1$2.js$1"));
}

function addManifest(): void {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  // Of what is for a checkout alone, nothing: neither its tools nor its guard against publishing.
  const { devDependencies: _, private: __, scripts: ___, ...kept } = manifest;
  const whole = { ...kept, bin: { foreman: "src/main.js" } };
  writeFileSync(join(staging, "package.json"), `${JSON.stringify(whole, null, 2)}\n`);
}

rmSync(staging, { recursive: true, force: true });
for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile()) addSource(path.slice(join(root, "src/").length));
}
for (const name of companions) {
  cpSync(join(root, name), join(staging, name), { recursive: true });
}
addManifest();
const pack = ["pack", staging, "--pack-destination", destination, "--loglevel=error"];
const name = execFileSync("npm", pack, { encoding: "utf8" }).trim();
rmSync(staging, { recursive: true });
process.stdout.write(`${join(destination, name)}\n`);
