import { errorCode, errorWords } from "../../wire/error-words.ts";
import { codeOfStatus } from "../failure-codes.ts";
import { failure, type GenerationFailure, type GenerationOutcome } from "../generation.ts";
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
  /**
   * What was wrong, for everybody to read; null for nothing. Words of the endpoint's own are for
   * whoever asked, since they may repeat the prompt: what stands here instead is their code.
   */
  readonly problem: string | null;
};

type Asked = { readonly model: string; readonly key: string | null };

/** Reads a reply to chat/completions. The key does not stand in any message, whoever repeats it. */
export function attemptOf(reply: EndpointReply, asked: Asked): Attempt {
  const attempt = read(reply, asked);
  const { outcome } = attempt;
  if (outcome.kind === "answered") return attempt;
  const message = withoutKey(outcome.message, asked.key);
  const problem = withoutKey(attempt.problem ?? outcome.message, asked.key);
  return { ...attempt, outcome: { ...outcome, message }, problem };
}

/** The text with the key blotted out, cut to a length that a log line bears. */
export function withoutKey(text: string, key: string | null): string {
  const safe = key === null ? text : text.replaceAll(key, "[key]");
  return safe.length <= wordsLettersMax ? safe : `${safe.slice(0, wordsLettersMax)}…`;
}

/** With a `problem` of null also where everybody may read the outcome's message. */
function read(reply: EndpointReply, { model }: Asked): Attempt {
  if (reply.kind === "failed") return readFailure(reply);
  const { statusCode } = reply;
  if (statusCode >= 200 && statusCode < 300) {
    const outcome = readChatCompletion(reply.body, model);
    return { outcome, isOutage: outcome.kind === "failed", isRetriable: false, problem: null };
  }
  const isOutage = statusCode >= 500;
  const isRetriable = isOutage || statusCode === 429;
  return { ...readRefusal(reply, model), isOutage, isRetriable };
}

function readFailure({ message, why }: Extract<EndpointReply, { kind: "failed" }>): Attempt {
  const passing = { isOutage: true, isRetriable: true, problem: null };
  const lasting = { isOutage: false, isRetriable: false, problem: null };
  switch (why) {
    case "unreachable":
    case "lost": {
      const words = `nemoclaw is not reachable: ${message}`;
      return { ...passing, outcome: failure("provider_unavailable", words) };
    }
    case "timeout": {
      const words = `nemoclaw gave ${message} (FOREMAN_NEMOCLAW_TIMEOUT)`;
      return { ...passing, isRetriable: false, outcome: failure("provider_timeout", words) };
    }
    case "too_large": {
      const words = "nemoclaw's answer is larger than FOREMAN_ANSWER_MAX";
      return { ...lasting, outcome: failure("answer_too_large", words) };
    }
    case "aborted":
      return { ...lasting, outcome: failure("cancelled", message) };
    default:
      return why satisfies never;
  }
}

type Refusal = Extract<EndpointReply, { kind: "answer" }>;

function readRefusal(reply: Refusal, model: string): Pick<Attempt, "outcome" | "problem"> {
  const { body, location, retryAfterMs, statusCode } = reply;
  if (statusCode >= 300 && statusCode < 400) {
    const told = (place: string) =>
      `nemoclaw redirects to ${place}, and no redirect is followed: ` +
      "set NEMOCLAW_API_URL to its own address";
    const outcome = failure(codeOfStatus(statusCode), told(location ?? "nowhere"));
    return { outcome, problem: told(originOf(location) ?? "another address") };
  }
  const words = errorWords(body).trim();
  const { code, hint } = judge(statusCode, words, model);
  const name = errorCode(body);
  const told = (quoted: string) => `nemoclaw answered ${statusCode}${quoted}${hint}`;
  return {
    outcome: failure(code, told(words === "" ? "" : `: ${words}`), retryAfterMs),
    problem: told(name === null ? "" : ` (${name})`),
  };
}

/** Of an absolute URL; null for none. Its path and query are the endpoint's words, too. */
function originOf(location: string | null): string | null {
  return location !== null && URL.canParse(location) ? new URL(location).origin : null;
}

/** What kind of failure a refusal is, and what to do about it, to stand behind its words. */
function judge(
  statusCode: number,
  words: string,
  model: string,
): { readonly code: GenerationFailure["code"]; readonly hint: string } {
  const code = codeOfStatus(statusCode);
  if (statusCode === 401 || statusCode === 403) return { code, hint: " (check NEMOCLAW_API_KEY)" };
  if (code === "model_not_found" && !isAboutModel(words, model)) {
    const hint = " (check NEMOCLAW_API_URL: it must lead to an OpenAI-style API)";
    return { code: "provider_misconfigured", hint };
  }
  return { code, hint: "" };
}

/** A server that misses the model says so; one that misses the route names neither. */
function isAboutModel(words: string, model: string): boolean {
  return /model/i.test(words) || words.includes(model);
}
