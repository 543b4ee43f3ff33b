import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { codeOf } from "../errors.ts";
import { type ModelfileCommand, readModelfile } from "./read-modelfile.ts";

/** A file that goes into a model, and what it is in it. */
export type RecipeFile = {
  readonly path: string;
  readonly role: "files" | "adapters" | "draft_files";
};

/** What the target is told to make a model of. */
export type Recipe = {
  readonly files: readonly RecipeFile[];
  /** Members of the request to `/api/create`, but for the model's name and its files. */
  readonly request: Readonly<Record<string, unknown>>;
};

const modelfileBytesMax = 16 * 2 ** 20;

/**
 * How to make the model that lies at `path`: a GGUF file, a folder with a Modelfile, or one with
 * GGUF files alone. Null: nothing is there.
 *
 * @throws Error that says what is wrong with it
 */
export async function recipeAt(path: string): Promise<Recipe | null> {
  const found = await statOf(path);
  if (found === null) return null;
  if (!found.isDirectory()) return { files: [{ path, role: "files" }], request: {} };
  const modelfile = join(path, "Modelfile");
  const size = (await statOf(modelfile))?.size ?? null;
  if (size !== null && size > modelfileBytesMax) throw new Error(`${modelfile} has ${size} bytes`);
  if (size !== null) return fromModelfile(readModelfile(await readFile(modelfile, "utf8")), path);
  const names = (await readdir(path)).filter((name) => name.endsWith(".gguf")).toSorted();
  if (names.length === 0) throw new Error(`${path} holds neither a Modelfile nor a .gguf file`);
  return { files: names.map((name) => ({ path: join(path, name), role: "files" })), request: {} };
}

async function fromModelfile(
  commands: readonly ModelfileCommand[],
  folder: string,
): Promise<Recipe> {
  const files: RecipeFile[] = [];
  const request: Record<string, unknown> = {};
  for (const { kind, value } of commands) {
    if (kind === "from" || kind === "adapter" || kind === "draft") {
      const path = isAbsolute(value) ? value : join(folder, value);
      const role = kind === "from" ? "files" : kind === "adapter" ? "adapters" : "draft_files";
      const isThere = (await statOf(path)) !== null;
      if (isThere) files.push({ path, role });
      else if (kind === "from" && !/^[./~]|\.gguf$/i.test(value)) request.from = value;
      else throw new Error(`${join(folder, "Modelfile")} names ${path}, which is not there`);
    } else if (kind !== "parameter" && kind !== "message" && kind !== "license") {
      request[kind] = value;
    }
  }
  if (!commands.some(({ kind }) => kind === "from")) throw new Error("Modelfile: no FROM line");
  return { files, request: { ...request, ...listsOf(commands) } };
}

/** What may stand in a Modelfile more than once. */
function listsOf(commands: readonly ModelfileCommand[]): Readonly<Record<string, unknown>> {
  const of = (kind: ModelfileCommand["kind"]) => commands.filter((each) => each.kind === kind);
  const parameters: Record<string, unknown> = {};
  const stops: string[] = [];
  for (const { name, value } of of("parameter")) {
    if (name === "stop") stops.push(value);
    else parameters[name] = parameterValue(value);
  }
  if (stops.length > 0) parameters.stop = stops;
  const messages = of("message").map(({ name, value }) => ({ role: name, content: value }));
  const license = of("license").map(({ value }) => value);
  return {
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(messages.length > 0 && { messages }),
    ...(license.length > 0 && { license }),
  };
}

/** Ollama wants numbers and booleans as such. */
function parameterValue(text: string): unknown {
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return Number(text);
  return text === "true" || text === "false" ? text === "true" : text;
}

/** Null: there is no such file. */
async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    if (cause instanceof Error && /^(ENOENT|ENOTDIR)$/.test(codeOf(cause))) return null;
    throw cause;
  }
}

/** The names under which files stand in a request: short, and none twice. */
export function namesOf(files: readonly RecipeFile[]): ReadonlyMap<string, RecipeFile> {
  const names = new Map<string, RecipeFile>();
  for (const file of files) {
    const short = basename(file.path);
    names.set(names.has(short) ? join(basename(dirname(file.path)), short) : short, file);
  }
  return names;
}
