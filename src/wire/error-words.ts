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
