import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

/** A file of the page, as it is sent. */
export type PageFile = {
  readonly contentType: string;
  readonly bytes: Buffer;
  /** Strong: the same tag means the same bytes. */
  readonly etag: string;
};

const contentTypes: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  ts: "text/javascript; charset=utf-8",
};

const folder = new URL("../../page/", import.meta.url);

/** Other people's modules, which browsers cannot find by a bare name. */
const libraries: Readonly<Record<string, () => URL>> = {
  "lit-html.js": () => new URL("../lit-html.js", import.meta.resolve("lit-html")),
  "uplot.js": () => new URL("./uPlot.esm.js", import.meta.resolve("uplot")),
  "uplot.css": () => new URL("./uPlot.min.css", import.meta.resolve("uplot")),
};

/**
 * The files of the page by their names, read from the disk at the first call and kept: 150 KB. In
 * a bare clone modules are TypeScript, whose types are stripped here; in a package they are
 * JavaScript already, and `index.html` is made to name that.
 */
export function createPageFiles(): () => ReadonlyMap<string, PageFile> {
  let files: ReadonlyMap<string, PageFile> | null = null;
  return () => {
    files ??= readFiles();
    return files;
  };
}

function readFiles(): ReadonlyMap<string, PageFile> {
  const own = readdirSync(folder).filter((name) => /\.(css|html|js|svg|ts)$/.test(name));
  const isPackaged = own.includes("main.js");
  const files = new Map<string, PageFile>();
  for (const name of own) {
    files.set(name, fileOf(name, textOf(name, isPackaged)));
  }
  for (const [name, locate] of Object.entries(libraries)) {
    files.set(name, fileOf(name, readFileSync(locate(), "utf8")));
  }
  return files;
}

function textOf(name: string, isPackaged: boolean): string {
  const text = readFileSync(new URL(name, folder), "utf8");
  if (name.endsWith(".html")) return isPackaged ? text.replace("main.ts", "main.js") : text;
  if (!/\.(js|ts)$/.test(name)) return text;
  const script = name.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  return script.replaceAll(/ from "(lit-html|uplot)"/g, ' from "./$1.js"');
}

function fileOf(name: string, text: string): PageFile {
  const bytes = Buffer.from(text);
  const digest = createHash("sha256").update(bytes).digest("base64url");
  const contentType = contentTypes[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return { contentType, bytes, etag: `"${digest}"` };
}
