import { readFileSync } from "node:fs";
import { z } from "zod";

/** What a header can carry as a bearer. */
export const secret = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, { error: "is empty, or has blanks or letters that no header carries" })
  .optional();

/** Each of them may be given by a file instead, which `…_FILE` names. */
export const secretNames = [
  "FOREMAN_TOKEN",
  "FOREMAN_OLLAMA_TOKEN",
  "FOREMAN_WEBHOOK_SECRET",
  "NEMOCLAW_API_KEY",
] as const;

type SecretName = (typeof secretNames)[number];
type SecretSettings = { readonly [K in SecretName | `${SecretName}_FILE`]?: string | undefined };

/**
 * A secret as it is given by its setting, or by the file that `…_FILE` names; null if by neither.
 * What is wrong goes to `context`, and never repeats the secret.
 */
export function secretFrom(
  name: SecretName,
  settings: SecretSettings,
  context: { addIssue(message: string): void },
): string | null {
  const value = settings[name];
  const file = settings[`${name}_FILE`];
  if (value !== undefined && file !== undefined) {
    context.addIssue(`${name} and ${name}_FILE are both set: keep one`);
  }
  if (value !== undefined || file === undefined) return value ?? null;
  try {
    const text = secret.safeParse(readFileSync(file, "utf8"));
    if (text.success && text.data !== undefined) return text.data;
    context.addIssue(`${name}_FILE: ${file} holds no token: one line without blanks`);
  } catch (cause) {
    context.addIssue(`${name}_FILE: cannot read ${file} (${String(cause)})`);
  }
  return null;
}
