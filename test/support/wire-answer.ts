/** One answer as it came over the wire, taken apart and not interpreted. */
export type WireAnswer = {
  readonly statusLine: string;
  /** In their order and spelling. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly framing: "length" | "chunked" | "until-close";
  /** The chunks of a chunked answer, or the body alone. Latin1: a character a byte. */
  readonly chunks: readonly string[];
  readonly body: string;
  /** Whether all came that the framing announced; one that ends with its connection always is. */
  readonly isWhole: boolean;
  /** What came after the answer. */
  readonly rest: string;
};

/** Takes one answer apart; `text` is latin1. Throws on what is no HTTP answer at all. */
export function parseWireAnswer(text: string, isBodyless = false): WireAnswer {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`no head in ${JSON.stringify(text)}`);
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  const head = { statusLine, headers };
  const rest = text.slice(end + 4);
  const chunked = headerOf(headers, "transfer-encoding") === "chunked";
  const length = headerOf(headers, "content-length");
  const framing = chunked ? "chunked" : length === null ? "until-close" : "length";
  if (isBodyless) return { ...head, framing, chunks: [], body: "", isWhole: true, rest };
  if (chunked) return { ...head, framing, ...readChunks(rest) };
  const body = length === null ? rest : rest.slice(0, Number(length));
  const isWhole = length === null || body.length === Number(length);
  return { ...head, framing, chunks: [body], body, isWhole, rest: rest.slice(body.length) };
}

/** The value of the first header of that name (in lower case), or null. */
export function headerOf(headers: WireAnswer["headers"], lowerName: string): string | null {
  return headers.find(([name]) => name.toLowerCase() === lowerName)?.[1] ?? null;
}

function readChunks(text: string): Pick<WireAnswer, "chunks" | "body" | "isWhole" | "rest"> {
  const chunks: string[] = [];
  let at = 0;
  for (;;) {
    const [line, size] = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20)) ?? [];
    const start = at + (line?.length ?? 0);
    const bytes = Number.parseInt(size ?? "", 16);
    const isThere = line !== undefined && text.startsWith("\r\n", start + bytes);
    if (!isThere) break;
    at = start + bytes + 2;
    if (bytes === 0) return { chunks, body: chunks.join(""), isWhole: true, rest: text.slice(at) };
    chunks.push(text.slice(start, start + bytes));
  }
  return { chunks, body: chunks.join(""), isWhole: false, rest: text.slice(at) };
}
