import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { collect } from "../target/collect.ts";
import type { Target } from "../target/target.ts";
import type { Effort } from "./effort.ts";
import type { FileHasher } from "./hash-file.ts";
import { askWithProgress } from "./progress-answer.ts";
import { namesOf, type Recipe } from "./recipe.ts";

/** Few and large pieces: each costs a turn of the event loop, which streams wait for as well. */
const pieceBytes = 2 ** 20;

const answerBytesMax = 2 ** 20;

type RegisterDeps = {
  readonly target: Target;
  readonly hasher: FileHasher;
  /** Whether the target still lacks the model, asked of it anew. */
  readonly isStillMissing: () => Promise<boolean>;
};

type Registration = {
  readonly model: string;
  readonly recipe: Recipe;
  /** By path, the sha256 that a file must have; files that are not named may have any. */
  readonly expected: ReadonlyMap<string, string>;
};

/**
 * Makes a model of files on this machine, as `ollama create` does: each file goes to the target as
 * a blob, unless it is there already, and then the target is told what to make of them.
 *
 * @throws Error with what is wrong with a file, or the target's own words
 */
export async function register(
  { expected, model, recipe }: Registration,
  effort: Effort,
  deps: RegisterDeps,
): Promise<void> {
  const document: Record<string, unknown> = { model, stream: true, ...recipe.request };
  const byRole: Record<string, Record<string, string>> = {};
  for (const [name, { path, role }] of namesOf(recipe.files)) {
    const sha256 = await deps.hasher.sha256(path, effort);
    const wanted = expected.get(path) ?? sha256;
    if (wanted !== sha256) throw new Error(`${path} has the sha256 ${sha256}, not ${wanted}`);
    await bringBlob(path, `sha256:${sha256}`, effort, deps.target);
    byRole[role] = { ...byRole[role], [name]: `sha256:${sha256}` };
  }
  // To make a model anew under a name that is in use has Ollama drop the layers of the old one.
  if (!(await deps.isStillMissing())) return;
  const request = { path: "/api/create", document: { ...document, ...byRole } } as const;
  await askWithProgress(deps.target, { ...request, step: "registering" }, effort);
}

async function bringBlob(
  path: string,
  digest: string,
  effort: Effort,
  target: Target,
): Promise<void> {
  const request = { path: `/api/blobs/${digest}`, rawHeaders: [] };
  const options = { bodyBytesMax: answerBytesMax, signal: effort.signal };
  effort.note("uploading");
  const known = await collect(target, { ...request, method: "HEAD", body: null }, options);
  effort.signal.throwIfAborted();
  if (known.kind === "answer" && known.head.statusCode === 200) return;
  const { size } = await stat(path);
  const body = Readable.from(piecesOf(path, size, effort), { objectMode: false });
  const rawHeaders = [
    ...["Content-Type", "application/octet-stream"],
    ...["Content-Length", String(size)],
  ];
  const answer = await collect(target, { ...request, rawHeaders, method: "POST", body }, options);
  body.destroy();
  effort.signal.throwIfAborted();
  if (answer.kind === "failed") throw new Error(`${path}: ${answer.failure.message}`);
  if (answer.kind === "answer" && /^20[01]$/.test(String(answer.head.statusCode))) return;
  const words = answer.kind === "answer" ? answer.body.toString("utf8", 0, 500) : "a long answer";
  throw new Error(`${path} was not taken by the target: ${words}`);
}

async function* piecesOf(path: string, size: number, effort: Effort): AsyncGenerator<Buffer> {
  let doneBytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
    doneBytes += piece.length;
    effort.note("uploading", doneBytes, size);
    yield piece;
  }
}
