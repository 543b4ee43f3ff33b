import { RawClient } from "./raw-client.ts";
import { until } from "./until.ts";
import { headerOf, parseWireAnswer, type WireAnswer } from "./wire-answer.ts";

export type Answer = WireAnswer & { readonly statusCode: number };

/** Sends `bytes` over a connection of its own; the first final answer, or null if it just closed. */
export async function ask(port: number, bytes: string | Buffer): Promise<Answer | null> {
  const client = new RawClient(port).send(bytes);
  const bodyless = bytes.toString().startsWith("HEAD ");
  const answer = () => {
    const found = readAnswers(client.text, bodyless).find(({ statusCode }) => statusCode >= 200);
    return found?.isWhole ? found : null;
  };
  await until("an answer", () => answer() !== null || client.isOver);
  client.leave();
  return answer();
}

/**
 * The answers that stand one after another in `text`, which is latin1; one that has no framing takes
 * the rest. Informational answers are answers as well.
 */
export function readAnswers(text: string, areBodyless = false): readonly Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest.includes("\r\n\r\n")) {
    const statusCode = Number(rest.split(" ", 2)[1]);
    const isBodyless = areBodyless || statusCode < 200 || [204, 304].includes(statusCode);
    const answer = { ...parseWireAnswer(rest, isBodyless), statusCode };
    answers.push(answer);
    if (!answer.isWhole) break;
    rest = answer.rest;
  }
  return answers;
}

/** The value of the first header of that name (in lower case); null without one or an answer. */
export function headerIn(answer: Answer | null | undefined, lowerName: string): string | null {
  return answer ? headerOf(answer.headers, lowerName) : null;
}
