import { createHash } from "node:crypto";
import { chat } from "./handle-native.ts";
import { formText, readForm } from "./multipart.ts";
import { answerOpenaiError } from "./openai-error.ts";
import type { Call } from "./sim-core.ts";
import { TranscriptionPresenter } from "./transcription-presenter.ts";

/** POST /v1/audio/transcriptions: the model is a field of the form; the text follows the audio. */
export async function handleTranscription(call: Call): Promise<void> {
  const { exchange, payload } = call;
  const form = readForm(exchange.request.headers["content-type"] ?? "", payload.bytes);
  if (form.kind === "error") {
    return refuse(call, `failed to parse multipart form: ${form.message}`);
  }
  const model = formText(form.parts, "model");
  if (model === "") return refuse(call, "model is required");
  const file = form.parts.find((part) => part.name === "file" && part.isFile);
  if (file === undefined) return refuse(call, "file is required: http: no such file");
  if (file.body.length === 0) return refuse(call, "audio file is empty");
  exchange.model = model;
  const heard = createHash("sha256").update(file.body).digest("hex");
  const presenter = new TranscriptionPresenter(formText(form.parts, "response_format"));
  const messages = [{ role: "user", content: `audio ${heard}` }];
  await chat(call, { model, messages, stream: false }, () => presenter, false);
}

function refuse({ exchange }: Call, message: string): void {
  answerOpenaiError(exchange.reply, 400, message, "layer");
}
