import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { Effort } from "./effort.ts";
import type { FromHashThread } from "./hash-message.ts";

/** Files of the required models, and a few that they were replaced by. */
const rememberedMax = 1_000;

/** Hashes files in a thread of their own, and remembers the hashes of those that did not change. */
export class FileHasher {
  readonly #known = new Map<string, string>();

  /**
   * The sha256 of a file, in hex.
   *
   * @throws Error when it cannot be read, or the effort is aborted
   */
  async sha256(file: string, effort: Effort): Promise<string> {
    const { ino, mtimeMs, size } = await stat(file);
    const key = JSON.stringify([file, ino, mtimeMs, size]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await hash(file, size, effort);
    if (this.#known.size >= rememberedMax) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }
}

function hash(file: string, size: number, effort: Effort): Promise<string> {
  const { promise, reject, resolve } = Promise.withResolvers<string>();
  effort.signal.throwIfAborted();
  const thread = new Worker(new URL("./hash-thread.ts", import.meta.url), { workerData: file });
  const cut = () => {
    reject(effort.signal.reason);
    void thread.terminate();
  };
  effort.signal.addEventListener("abort", cut);
  thread.on("message", (message: FromHashThread) => {
    if (message.kind === "done") resolve(message.sha256);
    else effort.note("reading", message.doneBytes, size);
  });
  thread.on("error", reject);
  thread.on("exit", () => reject(new Error(`the thread that read ${file} ended early`)));
  return promise.finally(() => effort.signal.removeEventListener("abort", cut));
}
