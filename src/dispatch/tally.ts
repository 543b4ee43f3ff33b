import { headerValue } from "../target/hop-headers.ts";
import type { TargetHead } from "../target/target.ts";

/**
 * Enough for the last lines of any stream. Only a final `context` array is longer, and what is
 * looked for stands behind it.
 */
const tailBytesMax = 64 * 2 ** 10;

/** An error is kept with its job and shown to people. */
const errorLettersMax = 1_000;

/** What an answer amounted to. */
export type Tally = {
  /**
   * Whether the answer came to the end that its protocol marks; a clean close alone proves nothing.
   */
  readonly isComplete: boolean;
  /** The error that the target told in the answer's last line; null if it told none. */
  readonly error: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** The time that the target spent on getting the model ready, in ms, where it says so. */
  readonly loadMs: number | null;
  /** The time that the target spent on writing the answer, in ms, where it says so. */
  readonly evalMs: number | null;
};

/** The tally of an answer of which nothing came. */
export const noTally: Tally = {
  isComplete: false,
  error: null,
  promptTokens: null,
  completionTokens: null,
  loadMs: null,
  evalMs: null,
};

/**
 * Watches an answer pass, without holding it: keeps the last bytes, and reads them once at the end.
 * Ollama marks the end by `"done":true` (native), `[DONE]` (OpenAI chat and completions),
 * `response.completed` (responses) and `message_stop` (messages); checked in its routes and
 * middleware at v0.33. A whole JSON object is its own mark on the /v1 routes.
 */
export class TallyKeeper {
  readonly #contentType: string;
  readonly #isNative: boolean;
  readonly #isError: boolean;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #isCut = false;
  readonly #partEnd: string | null;
  #parts = 0;

  constructor(route: string, head: TargetHead) {
    this.#contentType = headerValue(head.rawHeaders, "content-type") ?? "";
    this.#isNative = route.startsWith("/api/");
    this.#isError = head.statusCode >= 400;
    this.#partEnd = partEndOf(this.#contentType);
  }

  /**
   * Lines or events so far, of which Ollama sends one for each token or few tokens: an estimate,
   * until the answer's end tells. Null for an answer that comes in one piece.
   */
  get parts(): number | null {
    return this.#partEnd === null ? null : this.#parts;
  }

  chunk(bytes: Buffer): void {
    this.#count(bytes);
    this.#pieces.push(bytes);
    this.#heldBytes += bytes.length;
    while (this.#heldBytes - (this.#pieces[0]?.length ?? 0) > tailBytesMax) {
      this.#heldBytes -= this.#pieces.shift()?.length ?? 0;
      this.#isCut = true;
    }
  }

  read(): Tally {
    const tail = Buffer.concat(this.#pieces).toString("utf8").trimEnd();
    const lastLine = tail.slice(tail.lastIndexOf("\n") + 1);
    return {
      isComplete: this.#isComplete(lastLine),
      // On the other routes a good answer's last line is the model's to write.
      error: this.#isNative || this.#isError ? errorIn(lastLine) : null,
      promptTokens: lastNumber(tail, /"(?:prompt_eval_count|prompt_tokens|input_tokens)":(\d+)/g),
      completionTokens: lastNumber(tail, /"(?:eval_count|completion_tokens|output_tokens)":(\d+)/g),
      loadMs: nanosecondsToMs(lastNumber(tail, /"load_duration":(\d+)/g)),
      evalMs: nanosecondsToMs(lastNumber(tail, /"eval_duration":(\d+)/g)),
    };
  }

  /** A mark that two chunks share is not seen: Ollama sends its lines and events whole. */
  #count(bytes: Buffer): void {
    if (this.#partEnd === null) return;
    let at = bytes.indexOf(this.#partEnd);
    while (at >= 0) {
      this.#parts += 1;
      at = bytes.indexOf(this.#partEnd, at + 1);
    }
  }

  #isComplete(lastLine: string): boolean {
    if (this.#contentType.startsWith("text/event-stream")) return isLastEvent(lastLine);
    if (!/^application\/(x-ndjson|json)/.test(this.#contentType)) return true;
    if (!this.#isNative) return lastLine.endsWith("}");
    const json = parsedObject(lastLine);
    if (json !== null) return json.done === true;
    // The line's beginning was not kept; only a final line carries the total.
    return this.#isCut && /"total_duration":\d+[^{}]*\}$/.test(lastLine);
  }
}

function partEndOf(contentType: string): string | null {
  if (contentType.startsWith("application/x-ndjson")) return "\n";
  return contentType.startsWith("text/event-stream") ? "\n\n" : null;
}

function isLastEvent(line: string): boolean {
  if (line === "data: [DONE]") return true;
  if (!line.startsWith("data: ")) return false;
  const type = parsedObject(line.slice("data: ".length))?.type;
  return type === "response.completed" || type === "message_stop";
}

function errorIn(line: string): string | null {
  const error = parsedObject(line)?.error;
  const words = isObject(error) ? error.message : error;
  return typeof words === "string" ? words.slice(0, errorLettersMax) : null;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null;
}

function parsedObject(text: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : null;
  } catch {
    return null;
  }
}

function lastNumber(text: string, pattern: RegExp): number | null {
  const digits = [...text.matchAll(pattern)].at(-1)?.[1];
  return digits === undefined ? null : Number(digits);
}

function nanosecondsToMs(nanoseconds: number | null): number | null {
  return nanoseconds === null ? null : nanoseconds / 1e6;
}
