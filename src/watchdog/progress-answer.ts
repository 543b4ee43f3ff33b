import { StringDecoder } from "node:string_decoder";
import type { Target } from "../target/target.ts";
import { progressLine } from "../wire/ollama.ts";
import type { Effort, Step } from "./effort.ts";

/** A line of progress has a status, a digest and two numbers; a page of an error is longer. */
const lineBytesMax = 2 ** 20;

type ProgressRequest = {
  readonly path: "/api/create" | "/api/pull";
  readonly document: Readonly<Record<string, unknown>>;
  readonly step: Step;
};

/**
 * Asks the target for something that it tells the progress of, line by line, and resolves when it
 * says `success`.
 *
 * @throws Error with the target's own words, or what happened to the connection
 */
export function askWithProgress(
  target: Target,
  { document, path, step }: ProgressRequest,
  effort: Effort,
): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  const reader = new ProgressReader();
  effort.signal.throwIfAborted();
  effort.note(step);
  const exchange = target.send(
    {
      method: "POST",
      path,
      rawHeaders: ["Content-Type", "application/json"],
      body: Buffer.from(JSON.stringify(document)),
    },
    {
      head: () => {},
      chunk: (bytes) => {
        const problem = reader.take(bytes);
        effort.note(step, reader.doneBytes, reader.totalBytes);
        if (problem === null) return;
        reject(new Error(`${path}: ${problem}`));
        exchange.abort();
      },
      end: () => {
        const problem = reader.end();
        if (problem === null) resolve();
        else reject(new Error(`${path}: ${problem}`));
      },
      failed: ({ message }) => {
        const { signal } = effort;
        reject(signal.aborted ? signal.reason : new Error(`${path}: ${message}`));
      },
    },
  );
  const cut = () => exchange.abort();
  effort.signal.addEventListener("abort", cut);
  return promise.finally(() => effort.signal.removeEventListener("abort", cut));
}

/** Reads the lines of an answer of progress; layers come one after another, or several at once. */
class ProgressReader {
  readonly #layers = new Map<string, { readonly done: number; readonly total: number }>();
  readonly #text = new StringDecoder("utf8");
  #rest = "";
  #lastStatus = "";

  get doneBytes(): number {
    return [...this.#layers.values()].reduce((sum, { done }) => sum + done, 0);
  }

  get totalBytes(): number {
    return [...this.#layers.values()].reduce((sum, { total }) => sum + total, 0);
  }

  /** Answers what is wrong, in the target's words; null for nothing. */
  take(bytes: Buffer): string | null {
    const lines = (this.#rest + this.#text.write(bytes)).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > lineBytesMax) return "a line without an end";
    return this.#readAll(lines);
  }

  end(): string | null {
    const problem = this.#readAll([this.#rest]);
    if (problem !== null || this.#lastStatus === "success") return problem;
    return `the answer ended after "${this.#lastStatus}", without success`;
  }

  #readAll(lines: readonly string[]): string | null {
    for (const line of lines) {
      const problem = line.trim() === "" ? null : this.#read(line);
      if (problem !== null) return problem;
    }
    return null;
  }

  #read(line: string): string | null {
    const { completed, digest, error, status, total } = progressLine.parse(jsonOf(line));
    if (error !== undefined) return error;
    this.#lastStatus = status;
    if (digest !== undefined) this.#layers.set(digest, { done: completed, total });
    return null;
  }
}

/** What is no JSON, such as a proxy's page, is the error that it tells. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { error: line.slice(0, 500) };
  }
}
