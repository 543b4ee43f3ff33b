import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Status } from "../../src/wire/status.ts";
import { type RunningForeman, startForeman } from "./start-foreman.ts";
import { until } from "./until.ts";

/** The bytes of a model: its magic number, and then what nobody looks at. */
export const ggufOf = (bytes = 3_000_000) =>
  Buffer.concat([Buffer.from("GGUF"), randomBytes(bytes)]);

export const sha256Of = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A folder of the test's own, with these files in it. */
export async function folderWith(files: Readonly<Record<string, Buffer | string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "foreman-models-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

type Sources = Readonly<Record<string, unknown>>;

/** Foreman with required models, each with its sources as the models file tells them. */
export async function startWatching(
  targetUrl: string,
  models: Readonly<Record<string, Sources>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningForeman> {
  const folder = await folderWith({ "models.json": JSON.stringify({ models }) });
  return await startForeman(targetUrl, {
    FOREMAN_POLL_INTERVAL: "100ms",
    FOREMAN_REQUIRED_MODELS: Object.keys(models).join(),
    FOREMAN_MODELS_FILE: join(folder, "models.json"),
    ...settings,
  });
}

export async function statusOf({ url }: RunningForeman): Promise<Status> {
  return (await (await fetch(`${url}/foreman/status`)).json()) as Status;
}

/** What the watchdog says of that model. */
export async function watched(foreman: RunningForeman, model: string) {
  const found = (await statusOf(foreman)).watchdog.find((each) => each.model === model);
  if (!found) throw new Error(`nobody watches ${model}`);
  return found;
}

export async function untilBack(foreman: RunningForeman, model: string) {
  await until(`${model} is back`, async () => (await watched(foreman, model)).state === "present");
  return await watched(foreman, model);
}

export async function chat({ url }: RunningForeman, model: string, stream = false) {
  const body = JSON.stringify({ model, stream, messages: [{ role: "user", content: "hi" }] });
  return await fetch(`${url}/api/chat`, { method: "POST", body });
}
