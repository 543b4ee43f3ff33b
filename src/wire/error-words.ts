import { z } from "zod";

const told = z.union([z.string(), z.looseObject({ message: z.string() })]);

/** An error of Ollama's three APIs, and the forms that other servers of OpenAI's API use. */
const errorReply = z.union([
  z.looseObject({ error: told }).transform(({ error }) => error),
  z.looseObject({ detail: z.string() }).transform(({ detail }) => detail),
  z.looseObject({ message: z.string() }).transform(({ message }) => message),
]);

/** The words inside an error answer, or its text as it is. */
export function errorWords(body: string): string {
  try {
    const error = errorReply.parse(JSON.parse(body));
    return typeof error === "string" ? error : error.message;
  } catch {
    return body;
  }
}

const coded = z.looseObject({ code: z.unknown().optional(), type: z.unknown().optional() });

/** The same forms, with what some servers put beside the words; Anthropic's has no `code`. */
const codedReply = z.union([
  z.looseObject({ error: coded }).transform(({ error }) => error),
  coded,
]);

/** A name of an error, such as `insufficient_quota`: too short and too plain to quote anything. */
const errorName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

/** The name that an error answer gives its kind of error; null if it gives none. */
export function errorCode(body: string): string | null {
  try {
    const { code, type } = codedReply.parse(JSON.parse(body));
    const name = [code, type].find((text) => typeof text === "string" && errorName.test(text));
    return typeof name === "string" ? name : null;
  } catch {
    return null;
  }
}
