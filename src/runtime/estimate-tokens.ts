import type { Message } from "./generation.ts";

/** English has about four letters a token; code and other languages fewer, so this is low. */
const lettersPerToken = 4;

/** How large a prompt is, for the routing rule: its letters by four, rounded up; no images. */
export function estimateTokens(messages: readonly Message[]): number {
  const letters = messages.reduce((sum, { content }) => sum + content.length, 0);
  return Math.ceil(letters / lettersPerToken);
}
