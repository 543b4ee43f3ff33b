import { z } from "zod";

/**
 * Why a chat or an item of a batch has no answer, in a word for programs. Closed: whoever adds one
 * gives it a status in errors.ts and a line in docs/api.md.
 */
export const runtimeErrorCodes = [
  "model_not_found",
  "provider_unavailable",
  "provider_refused",
  "provider_failed",
  "provider_timeout",
  "answer_too_large",
  "invalid_output",
  "poison_item",
  "queue_full",
  "draining",
  "cancelled",
  "internal",
] as const;

export type RuntimeErrorCode = (typeof runtimeErrorCodes)[number];

/** What went wrong with one item. */
export const runtimeError = z.object({
  code: z.enum(runtimeErrorCodes),
  message: z.string().meta({ description: "What happened and what to do, for a person" }),
});
