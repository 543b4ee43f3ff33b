import { type buildConnector, Client } from "undici";
import type { Clock } from "../clock.ts";
import { causeText } from "../errors.ts";
import { retryAfterMsOf } from "../retry-after.ts";
import type { Destinations } from "./destinations.ts";
import type { Message } from "./message.ts";
import { pinnedLookup, type Resolve } from "./pinned-lookup.ts";
import { signatureHeaders } from "./signature.ts";

/** From the look-up of the name to the end of the answer: what the standard recommends at least. */
const timeoutMs = 15_000;

/** A receiver that does not take the connection by then is away. */
const connectMsMax = 5_000;

/**
 * What a receiver answers is of no interest, but a connection cut in its middle looks like a fault.
 */
const answerBytesMax = 64 * 2 ** 10;

/** What became of one try. */
export type Receipt =
  | { readonly kind: "received" }
  /** The receiver wants to hear nothing more of this subject. */
  | { readonly kind: "gone" }
  | {
      readonly kind: "failed";
      /** In words, for the log and the status. */
      readonly problem: string;
      /** How long the receiver asked to be left alone; null if it did not. */
      readonly retryAfterMs: number | null;
    }
  /** It was cut from here, and nobody knows what became of it. */
  | { readonly kind: "cut" };

export type Post = (message: Message, cut: AbortSignal) => Promise<Receipt>;

/** Makes the connection to a receiver. */
export type Connect = buildConnector.connector;

type PostDeps = {
  readonly destinations: Destinations;
  readonly resolve: Resolve;
  /** Connects to the addresses that were checked if absent. */
  readonly connect?: Connect | undefined;
  readonly clock: Clock;
  /** What messages are signed with; null: they are not. */
  readonly key: Buffer | null;
};

/**
 * A function that posts one message, once, and never rejects. Each try has a connection of its own,
 * to an address that was checked for it. Any 2xx is received; redirects are not followed.
 */
export function createPost(deps: PostDeps): Post {
  return async (message, cut) => {
    const url = new URL(message.url);
    const problem = deps.destinations.problemOf(url);
    if (problem !== null) return failed(`the URL ${problem}`);
    const timeout = new AbortController();
    const timer = deps.clock.after(timeoutMs, () => timeout.abort());
    try {
      return await postTo(url, message, {
        ...deps,
        signal: AbortSignal.any([timeout.signal, cut]),
      });
    } catch (cause) {
      if (cut.aborted) return { kind: "cut" };
      if (timeout.signal.aborted) return failed(`no answer within ${timeoutMs / 1_000} s`);
      return failed(cause instanceof Error ? causeText(cause) : String(cause));
    } finally {
      timer.cancel();
    }
  };
}

async function postTo(
  url: URL,
  { body, id }: Message,
  { signal, ...deps }: PostDeps & { readonly signal: AbortSignal },
): Promise<Receipt> {
  const { clock, key } = deps;
  const client = new Client(url.origin, {
    connect: deps.connect ?? checkedConnect(url, deps),
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const timestampS = Math.floor(clock.wallMs() / 1_000);
    const own = ["Content-Type", "application/json", "User-Agent", "foreman"];
    const headers = [...own, ...signatureHeaders({ body, id, timestampS }, key)];
    const path = `${url.pathname}${url.search}`;
    const answer = await client.request({ method: "POST", path, headers, body, signal });
    // The status has decided; however the rest of the answer ends, the message was judged.
    await answer.body.dump({ limit: answerBytesMax, signal }).catch(() => {});
    return receiptOf(answer.statusCode, retryAfterMsOf(answer.headers["retry-after"], clock));
  } finally {
    await client.destroy();
  }
}

function checkedConnect(url: URL, deps: PostDeps): buildConnector.BuildOptions {
  return { lookup: pinnedLookup(url, deps), timeout: connectMsMax, allowH2: false };
}

function receiptOf(statusCode: number, retryAfterMs: number | null): Receipt {
  if (statusCode >= 200 && statusCode < 300) return { kind: "received" };
  if (statusCode === 410) return { kind: "gone" };
  const isRedirect = statusCode >= 300 && statusCode < 400;
  const note = isRedirect ? ", and redirects are not followed" : "";
  return failed(`the receiver answered ${statusCode}${note}`, retryAfterMs);
}

function failed(problem: string, retryAfterMs: number | null = null): Receipt {
  return { kind: "failed", problem, retryAfterMs };
}
