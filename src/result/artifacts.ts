import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { Answer } from "../store/store.ts";
import { type Completion, completionOf } from "../wire/completion.ts";

const decompress = promisify(zstdDecompress);

type Artifact = { readonly contentType: string; readonly bytes: Buffer };

/** The artifacts of a done job, by name. */
export type Artifacts = ReadonlyMap<string, Artifact>;

/** What the target sent, as it sent it. */
export async function answerBytes({ body, isCompressed }: Answer): Promise<Buffer> {
  return isCompressed ? await decompress(body) : Buffer.from(body);
}

/** What a kept answer holds: always the completion, and the answer as the target sent it. */
export async function artifactsOf(kept: Answer): Promise<Artifacts> {
  const response = await answerBytes(kept);
  const { text, thinking, toolCalls }: Completion = await completionOf(response);
  const plain = "text/plain; charset=utf-8";
  const artifacts = new Map<string, Artifact>();
  artifacts.set("completion", { contentType: plain, bytes: Buffer.from(text) });
  if (thinking !== "") {
    artifacts.set("thinking", { contentType: plain, bytes: Buffer.from(thinking) });
  }
  if (toolCalls.length > 0) {
    const bytes = Buffer.from(JSON.stringify(toolCalls));
    artifacts.set("tool_calls", { contentType: "application/json", bytes });
  }
  return artifacts.set("response", { contentType: kept.contentType, bytes: response });
}
