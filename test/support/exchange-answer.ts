import type { CorpusExchange } from "./corpus-exchange.ts";
import { moduloTime } from "./modulo-time.ts";
import { RawClient } from "./raw-client.ts";
import { parseWireAnswer } from "./wire-answer.ts";

/** Where an exchange is sent. */
export type Place = {
  readonly host: string;
  readonly port: number;
  /** Replaces `localhost` in the Host header, where that would not be answered. */
  readonly hostHeader?: string;
  /** Sent as a bearer. */
  readonly token?: string;
};

/** An answer without times, durations, drawn ids, and what belongs to one connection. */
export type ExchangeAnswer = {
  readonly statusLine: string;
  readonly headers: readonly string[];
  readonly framing: string;
  readonly isWhole: boolean;
  /** What came after the answer, which is nothing. */
  readonly rest: string;
  readonly chunks: readonly string[];
};

/** Sends the exchange over a socket of its own; throws if no whole answer came within `withinMs`. */
export async function exchangeAnswer(
  { isHead, request }: CorpusExchange,
  { host, hostHeader, port, token }: Place,
  withinMs = 5_000,
): Promise<ExchangeAnswer> {
  const client = new RawClient(port, host);
  const bearer = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  const hosted = `Host: ${hostHeader ?? "localhost"}\r\n${bearer}`;
  const end = request.indexOf("\r\n\r\n");
  const head = request.subarray(0, end).toString().replace("Host: localhost\r\n", hosted);
  client.send(Buffer.concat([Buffer.from(head), request.subarray(end)]));
  try {
    await client.over(withinMs);
  } finally {
    client.leave();
  }
  const answer = parseWireAnswer(client.text, isHead);
  const { chunks, framing, isWhole, rest, statusLine } = answer;
  const headers = answer.headers.filter(([name]) => isCompared(name, request)).map(moduloLength);
  return {
    ...{ statusLine, headers: headers.sort(), framing, isWhole, rest },
    chunks: chunks.map(moduloTime),
  };
}

/**
 * Not what belongs to one connection, and not `Allow` in answers to OPTIONS, which gin adds to
 * preflights that its CORS layer has answered already.
 */
function isCompared(name: string, request: Buffer): boolean {
  if (name === "Allow" && request.toString().startsWith("OPTIONS")) return false;
  return !/^(date|connection|keep-alive|x-foreman-.*)$/i.test(name);
}

/** Durations are of different lengths; that a length is true is told by `isWhole`. */
function moduloLength([name, value]: readonly [string, string]): string {
  const isLength = name.toLowerCase() === "content-length" && value !== "0";
  return isLength ? `${name}: N` : `${name}: ${value}`;
}
