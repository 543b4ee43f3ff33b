import { setImmediate as turn } from "node:timers/promises";
import { z } from "zod";

/** What a model said, out of any of Ollama's native answers. */
export type Completion = {
  readonly text: string;
  readonly thinking: string;
  /** As the target sent them, in their order. */
  readonly toolCalls: readonly unknown[];
};

const piece = z.looseObject({
  response: z.string().optional(),
  thinking: z.string().optional(),
  message: z
    .looseObject({
      content: z.string().optional(),
      thinking: z.string().optional(),
      tool_calls: z.array(z.unknown()).optional(),
    })
    .optional(),
});

/** Lines are read in one go up to so many bytes, some 2 ms of the event loop, then it turns. */
const goBytes = 128 * 2 ** 10;

const newline = 0x0a;

/**
 * The words of a native chat or generate answer, streamed (NDJSON) or not. Lines that are no JSON
 * are passed over. Long answers are read in many turns of the event loop: 15 MB took it 0.2 s.
 */
export async function completionOf(body: Buffer): Promise<Completion> {
  let text = "";
  let thinking = "";
  const toolCalls: unknown[] = [];
  let turnAt = goBytes;
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(newline, start);
    const end = found === -1 ? body.length : found;
    const parsed = piece.safeParse(jsonOf(body.toString("utf8", start, end)));
    start = end + 1;
    if (start > turnAt) {
      await turn();
      turnAt = start + goBytes;
    }
    if (!parsed.success) continue;
    const { message, response, thinking: thought } = parsed.data;
    text += response ?? message?.content ?? "";
    thinking += thought ?? message?.thinking ?? "";
    toolCalls.push(...(message?.tool_calls ?? []));
  }
  return { text, thinking, toolCalls };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
