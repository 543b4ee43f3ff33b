import type { ErrorCode, ForemanError } from "../../errors.ts";
import type { Waiter, WaitNotes } from "../../queue/waiters.ts";
import type { TargetFailure, TargetHead } from "../../target/target.ts";
import { CompletionReader } from "../../wire/completion.ts";
import { errorWords } from "../../wire/error-words.ts";
import { codeOfStatus, type FailureCode } from "../failure-codes.ts";
import { failure, type GenerationOutcome } from "../generation.ts";

/** An error answer is a line or two; what a proxy's page adds explains nothing. */
const errorBytesMax = 16 * 2 ** 10;

type AnswerGathererOptions = {
  /** For an answer that does not name its model. */
  readonly model: string;
  /** The largest answer that is gathered, as the target sends it. */
  readonly bytesMax: number;
  readonly onOutcome: (outcome: GenerationOutcome) => void;
  /** The answer grew past the bound; the outcome was told, the rest is the caller's to cut off. */
  readonly onTooLarge: () => void;
};

/**
 * The waiter of a chat whose answer is wanted whole. Nobody sees a part of it, so an attempt that
 * came to nothing is forgotten when the next one begins. It takes an answer from the queue as well
 * as one from the target itself.
 */
export class AnswerGatherer implements Waiter {
  readonly #options: AnswerGathererOptions;
  #head: TargetHead | null = null;
  #notes: WaitNotes | undefined;
  #reader = new CompletionReader();
  #errorText = "";
  #bytes = 0;

  constructor(options: AnswerGathererOptions) {
    this.#options = options;
  }

  /** Never: another attempt would be seen by nobody. */
  get hasAnswer(): boolean {
    return false;
  }

  head(head: TargetHead, notes?: WaitNotes): void {
    this.#head = head;
    this.#notes = notes;
    this.#reader = new CompletionReader();
    this.#errorText = "";
    this.#bytes = 0;
  }

  chunk(bytes: Buffer): void {
    const isGatheredOn = this.#bytes <= this.#options.bytesMax;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.bytesMax) {
      if (isGatheredOn) this.#refuseLarge();
    } else if (this.#isError) {
      if (this.#errorText.length < errorBytesMax) this.#errorText += bytes.toString("utf8");
    } else {
      this.#reader.write(bytes);
    }
  }

  end(): void {
    this.#options.onOutcome(this.#isError ? this.#refusal() : this.#answer());
  }

  failed({ kind, message }: TargetFailure, isComplete = false): void {
    if (isComplete) this.end();
    else if (kind === "unreachable") this.#fail("provider_unavailable", message);
    else {
      const who = kind === "aborted" ? "foreman cut" : "Ollama broke";
      this.#fail("provider_failed", `${who} the answer off: ${message}`);
    }
  }

  refuse(error: ForemanError): void {
    const { code, message, retryAfterS } = error;
    const retryAfterMs = retryAfterS === null ? null : retryAfterS * 1_000;
    const failed = failure(codesOfErrors[code] ?? "provider_failed", message, retryAfterMs);
    this.#options.onOutcome(failed);
  }

  get #isError(): boolean {
    return (this.#head?.statusCode ?? 0) >= 300;
  }

  #refusal(): GenerationOutcome {
    const statusCode = this.#head?.statusCode ?? 0;
    const words = errorWords(this.#errorText).trim();
    const code = codeOfStatus(statusCode);
    // What Ollama has against a request is told in its own words.
    const isRequestsFault = code === "provider_refused" || code === "model_not_found";
    return failure(code, isRequestsFault ? words : `Ollama answered ${statusCode}: ${words}`);
  }

  #answer(): GenerationOutcome {
    const { completion, error, facts, isDone } = this.#reader.end();
    if (error !== null) return failure("provider_failed", `Ollama failed half way: ${error}`);
    if (!isDone) {
      const message = "the answer ended without its end marker: Ollama stopped half way";
      return failure("provider_failed", message);
    }
    return {
      kind: "answered",
      content: completion.text,
      model: facts.model ?? this.#options.model,
      usage: { prompt_tokens: facts.promptTokens, completion_tokens: facts.completionTokens },
      finishReason: facts.doneReason,
      ...(this.#notes && { wait: this.#notes }),
    };
  }

  #refuseLarge(): void {
    const { bytesMax, onTooLarge } = this.#options;
    const message = `the answer is larger than FOREMAN_ANSWER_MAX (${bytesMax} bytes)`;
    this.#fail("answer_too_large", message);
    onTooLarge();
  }

  #fail(code: FailureCode, message: string): void {
    this.#options.onOutcome(failure(code, message));
  }
}

/** What it says of a provider that foreman itself ended a wait. */
const codesOfErrors: { readonly [Code in ErrorCode]?: FailureCode } = {
  queue_full: "provider_busy",
  queue_timeout: "provider_timeout",
  target_timeout: "provider_timeout",
  target_unreachable: "provider_unavailable",
  cancelled: "cancelled",
  draining: "draining",
};
