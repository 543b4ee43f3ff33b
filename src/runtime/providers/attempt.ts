import { errorWords } from "../../wire/error-words.ts";
import { codeOfStatus } from "../failure-codes.ts";
import { failure, type GenerationOutcome } from "../generation.ts";
import { readChatCompletion } from "./openai-chat.ts";
import type { EndpointReply } from "./openai-endpoint.ts";

/** A server's words may be a page; the first of them tell what is wrong. */
const wordsLettersMax = 500;

/** What one try at a hosted endpoint came to. */
export type Attempt = {
  readonly outcome: GenerationOutcome;
  /** The endpoint is down, and will not be better for the next one who asks. */
  readonly isOutage: boolean;
  /** The same request may do in a moment. */
  readonly isRetriable: boolean;
};

type Asked = { readonly model: string; readonly key: string | null };

/** Reads a reply to chat/completions. The key does not stand in any message, whoever repeats it. */
export function attemptOf(reply: EndpointReply, asked: Asked): Attempt {
  const { isOutage, isRetriable, outcome } = read(reply, asked);
  if (outcome.kind === "answered") return { isOutage, isRetriable, outcome };
  const message = withoutKey(outcome.message, asked.key);
  return { isOutage, isRetriable, outcome: { ...outcome, message } };
}

/** The text with the key blotted out, cut to a length that a log line bears. */
export function withoutKey(text: string, key: string | null): string {
  const safe = key === null ? text : text.replaceAll(key, "[key]");
  return safe.length <= wordsLettersMax ? safe : `${safe.slice(0, wordsLettersMax)}…`;
}

function read(reply: EndpointReply, { model }: Asked): Attempt {
  if (reply.kind === "failed") return readFailure(reply);
  const { statusCode } = reply;
  if (statusCode >= 200 && statusCode < 300) {
    const outcome = readChatCompletion(reply.body, model);
    return { outcome, isOutage: outcome.kind === "failed", isRetriable: false };
  }
  const isOutage = statusCode >= 500;
  const isRetriable = isOutage || statusCode === 429;
  return { outcome: refusalOf(reply, model), isOutage, isRetriable };
}

function readFailure({ message, why }: Extract<EndpointReply, { kind: "failed" }>): Attempt {
  switch (why) {
    case "unreachable":
    case "lost": {
      const outcome = failure("provider_unavailable", `nemoclaw is not reachable: ${message}`);
      return { outcome, isOutage: true, isRetriable: true };
    }
    case "timeout": {
      const words = `nemoclaw gave ${message} (FOREMAN_NEMOCLAW_TIMEOUT)`;
      const outcome = failure("provider_timeout", words);
      return { outcome, isOutage: true, isRetriable: false };
    }
    case "too_large": {
      const words = "nemoclaw's answer is larger than FOREMAN_ANSWER_MAX";
      return { outcome: failure("answer_too_large", words), isOutage: false, isRetriable: false };
    }
    case "aborted":
      return { outcome: failure("cancelled", message), isOutage: false, isRetriable: false };
    default:
      return why satisfies never;
  }
}

function refusalOf(
  { body, location, retryAfterMs, statusCode }: Extract<EndpointReply, { kind: "answer" }>,
  model: string,
): GenerationOutcome {
  const words = errorWords(body).trim();
  const code = codeOfStatus(statusCode);
  const told = `nemoclaw answered ${statusCode}: ${words}`;
  if (statusCode === 401 || statusCode === 403) {
    return failure(code, `${told} (check NEMOCLAW_API_KEY)`);
  }
  if (statusCode >= 300 && statusCode < 400) {
    const message = `nemoclaw redirects to ${location ?? "nowhere"}, and no redirect is followed`;
    return failure(code, `${message}: set NEMOCLAW_API_URL to its own address`);
  }
  if (code === "model_not_found" && !isAboutModel(words, model)) {
    const message = `${told} (check NEMOCLAW_API_URL: it must lead to an OpenAI-style API)`;
    return failure("provider_misconfigured", message);
  }
  return failure(code, told, retryAfterMs);
}

/** A server that misses the model says so; one that misses the route names neither. */
function isAboutModel(words: string, model: string): boolean {
  return /model/i.test(words) || words.includes(model);
}
