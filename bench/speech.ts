/** How a protocol tells the parts of an answer. */
export type Speech = {
  readonly contentType: string;
  /** A part of so many bytes. */
  line(bytes: number): string;
  /** What ends an answer of so many parts. */
  end(lines: number): string;
};

export const speeches = {
  native: {
    contentType: "application/x-ndjson",
    line: (bytes) =>
      padded(bytes, [
        '{"model":"bench-chat","created_at":"2026-11-20T22:00:00.000000000Z",' +
          '"message":{"role":"assistant","content":"',
        '"},"done":false}\n',
      ]),
    end: (lines) =>
      '{"model":"bench-chat","message":{"role":"assistant","content":""},"done":true,' +
      '"done_reason":"stop","total_duration":1000000,"load_duration":0,"prompt_eval_count":9,' +
      `"eval_count":${lines}}\n`,
  },
  openai: {
    contentType: "text/event-stream",
    line: (bytes) =>
      padded(bytes, [`data: ${openaiBegin}"delta":{"content":"`, '"},"finish_reason":null}]}\n\n']),
    end: () =>
      `data: ${openaiBegin}"delta":{"content":""},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
  },
} as const satisfies Readonly<Record<string, Speech>>;

const openaiBegin =
  '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795212000,' +
  '"model":"bench-chat","choices":[{"index":0,';

function padded(bytes: number, [begin, end]: readonly [string, string]): string {
  return `${begin}${"x".repeat(Math.max(1, bytes - begin.length - end.length))}${end}`;
}
