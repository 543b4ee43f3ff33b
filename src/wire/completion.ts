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

/**
 * The words of a native chat or generate answer, streamed (NDJSON) or not. Lines that are no JSON
 * are passed over.
 */
export function completionOf(body: string): Completion {
  let text = "";
  let thinking = "";
  const toolCalls: unknown[] = [];
  for (const line of body.split("\n")) {
    const parsed = piece.safeParse(jsonOf(line));
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
