import { Agent, request } from "undici";
import type { Clock } from "../../clock.ts";
import { causeText, codeOf } from "../../errors.ts";
import { retryAfterMsOf } from "../../retry-after.ts";

/** Long enough for a busy host to accept; a connection that takes longer will not come. */
const connectTimeoutMs = 10_000;

export type EndpointReply =
  | {
      readonly kind: "answer";
      readonly statusCode: number;
      readonly body: string;
      /** When it asks to be asked again; null if it does not say. */
      readonly retryAfterMs: number | null;
      /** Where it redirects to; null if it does not. */
      readonly location: string | null;
    }
  | {
      readonly kind: "failed";
      readonly why: "unreachable" | "lost" | "timeout" | "aborted" | "too_large";
      readonly message: string;
    };

type EndpointRequest = {
  readonly method: "GET" | "POST";
  /** Below the base URL. */
  readonly path: string;
  readonly body?: string;
  /** The whole exchange, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

type OpenaiEndpointOptions = {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly key: string | null;
  readonly bodyBytesMax: number;
  readonly clock: Clock;
};

/**
 * A hosted server of OpenAI's API over HTTP. The key goes to the base URL and nowhere else, since
 * redirects are not followed.
 */
export class OpenaiEndpoint {
  readonly #options: OpenaiEndpointOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: Agent;

  constructor(options: OpenaiEndpointOptions) {
    const { bodyBytesMax, key } = options;
    this.#options = options;
    this.#headers = {
      accept: "application/json",
      "content-type": "application/json",
      ...(key !== null && { authorization: `Bearer ${key}` }),
    };
    this.#agent = new Agent({
      connect: { timeout: connectTimeoutMs },
      // The whole exchange is timed here: an answer in one piece comes after a long silence.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: bodyBytesMax,
    });
  }

  /** Asks, and reads the answer whole. Never rejects. */
  async ask({ body, method, path, signal, timeoutMs }: EndpointRequest): Promise<EndpointReply> {
    const { baseUrl, clock } = this.#options;
    const late = new AbortController();
    const timer = clock.after(timeoutMs, () => late.abort());
    try {
      const reply = await request(baseUrl + path, {
        method,
        headers: this.#headers,
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, late.signal]),
        ...(body !== undefined && { body }),
      });
      return {
        kind: "answer",
        statusCode: reply.statusCode,
        body: await reply.body.text(),
        retryAfterMs: retryAfterMsOf(reply.headers["retry-after"], clock),
        location: single(reply.headers.location),
      };
    } catch (cause) {
      if (signal.aborted) return failed("aborted", "whoever asked has gone");
      if (late.signal.aborted) return failed("timeout", `no answer within ${timeoutMs / 1_000} s`);
      return cause instanceof Error ? problemOf(cause) : failed("lost", String(cause));
    } finally {
      timer.cancel();
    }
  }

  /** Closes every connection at once. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

const unreachable =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/;

function problemOf(cause: Error): EndpointReply {
  const code = codeOf(cause);
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return failed("too_large", cause.message);
  const message = causeText(cause);
  const isTls = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code);
  return failed(isTls || unreachable.test(code) ? "unreachable" : "lost", message);
}

function failed(
  why: Extract<EndpointReply, { kind: "failed" }>["why"],
  message: string,
): EndpointReply {
  return { kind: "failed", why, message };
}

function single(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}
