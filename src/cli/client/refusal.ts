import { z } from "zod";
import { causeText, codeOf } from "../../errors.ts";
import { codedError, plainError, validationError } from "../../wire/error-answers.ts";
import { CliFailure, type ExitCode, exitCodes } from "../cli-failure.ts";
import { jsonOf } from "../json-of.ts";

type Place = { readonly url: string; readonly path: string; readonly hasToken: boolean };

const errorAnswer = z.union([
  plainError.transform(({ error }) => error),
  codedError.transform(({ detail }) => detail),
  validationError.transform(({ detail }) =>
    detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; "),
  ),
]);

const notFound = 404;

/** Statuses that pass by themselves: a full queue, a drain, a full disk. */
const passing = [429, 503, 507];

class Refusal extends CliFailure {
  readonly status: number;

  constructor(exitCode: ExitCode, message: string, status: number) {
    super(exitCode, message);
    this.status = status;
  }
}

/** Whether foreman, and not somebody else, said that there is no such thing. */
export function isNotFound(cause: unknown): boolean {
  return cause instanceof Refusal && cause.status === notFound;
}

/** What an answer with an error's status means for a command. */
export function refusal(status: number, text: string, place: Place): CliFailure {
  const parsed = errorAnswer.safeParse(jsonOf(text));
  const words = parsed.success ? parsed.data : null;
  if (status === 401) return new CliFailure(exitCodes.notAllowed, wantsToken(place));
  if (words === null) return notForeman(place.url, place.path, `HTTP ${status}`);
  if (status === 403) {
    return new CliFailure(exitCodes.notAllowed, `${place.url} does not allow this: ${words}`);
  }
  if (passing.includes(status)) {
    return new Refusal(exitCodes.tryLater, `not now: ${words}`, status);
  }
  return new Refusal(exitCodes.failed, words, status);
}

function wantsToken({ hasToken, url }: Place): string {
  return hasToken
    ? `${url} does not know this token: give its own by FOREMAN_CLIENT_TOKEN or --token-file`
    : `${url} wants a token: set FOREMAN_CLIENT_TOKEN, or name a file by --token-file`;
}

/** `fault` is what of the answer was not understood; never the answer itself. */
export function notForeman(url: string, path: string, fault: string): CliFailure {
  return new CliFailure(
    exitCodes.notForeman,
    `${url}${path} answers as no foreman of this version does (${fault || "no JSON"}): ` +
      "is it another program, such as Ollama itself? Set FOREMAN_URL or --url",
  );
}

/** Nobody answers, or not to the end. */
export function unreachable(url: string, cause: unknown): CliFailure {
  const words = reasonOf(cause);
  return new CliFailure(
    exitCodes.unreachable,
    `cannot reach foreman at ${url} (${words}): does it run there? FOREMAN_URL or --url names ` +
      "another; `foreman doctor` looks for causes",
    { cause },
  );
}

/** `fetch` hides the reason in the cause of its error. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError") return "no answer in time";
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  return codeOf(inner) || causeText(inner);
}
