import { answerOpenaiError } from "./openai-error.ts";
import type { Presenter, WholeAnswer } from "./presenter.ts";
import type { Reply } from "./reply.ts";

/** /v1/audio/transcriptions: always one answer at the end, whatever the request says. */
export class TranscriptionPresenter implements Presenter {
  readonly streamHeaders = [];
  readonly #responseFormat: string;

  constructor(responseFormat: string) {
    this.#responseFormat = responseFormat;
  }

  piece(): readonly string[] {
    return [];
  }

  finish(): readonly string[] {
    return [];
  }

  whole(reply: Reply, answer: WholeAnswer): void {
    const text = answer.content.trim();
    if (this.#responseFormat === "text") reply.body(200, text, [["Content-Type", "text/plain"]]);
    else reply.encoded(200, { text });
  }

  idle(reply: Reply): void {
    reply.empty(200);
  }

  error(reply: Reply, status: number, message: string): void {
    answerOpenaiError(reply, status, message, "handler");
  }

  errorFrames(): readonly string[] {
    return [];
  }
}
