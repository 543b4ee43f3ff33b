import type { IncomingMessage, ServerResponse } from "node:http";
import type { ForemanError } from "../errors.ts";
import { type ErrorShape, errorBody } from "./error-shapes.ts";
import { newRequestId } from "./request-id.ts";

/** One request and the response to it, with what the front door found out about it. */
export type Call = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The path as Ollama's router sees it: decoded, without the query. Never sent to the target. */
  readonly path: string;
  /** Path and query as received: what the target is called with. */
  readonly url: string;
  /** Who asks: a token's name, a forwarded user id, or an address. */
  readonly client: string;
  /** Whether everyone's work may be seen and cancelled, not only the client's own. */
  readonly isAdmin: boolean;
  /** How errors are told on this route. */
  readonly shape: ErrorShape;
  /** What each answer carries besides its own headers, such as CORS. */
  readonly extraHeaders: readonly string[];
  /** Takes memory for so many bytes more of the body; throws ForemanError `queue_full`. */
  readonly hold: (bytes: number) => void;
  /** How often the request has already passed through a foreman. */
  readonly passes: number;
};

/** Whether the caller may see and cancel that work: it is its own, or the caller is an admin. */
export function isOwn(call: Call, work: { readonly client: string }): boolean {
  return call.isAdmin || work.client === call.client;
}

/** The members of a call's query; of one that is given twice, the last. */
export function queryOf({ url }: Pick<Call, "url">): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(url, "http://foreman").searchParams);
}

/** Sends a small answer whole. Does nothing if an answer has begun. */
export function answer(
  call: Pick<Call, "outgoing" | "extraHeaders">,
  statusCode: number,
  rawHeaders: readonly string[],
  body: Buffer | string,
): void {
  const { extraHeaders, outgoing } = call;
  if (outgoing.headersSent || outgoing.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  // A 204 has no body, and so no length (RFC 9110 §8.6).
  const length = statusCode === 204 ? [] : ["Content-Length", String(bytes.length)];
  outgoing.writeHead(statusCode, [...rawHeaders, ...extraHeaders, ...length]);
  outgoing.end(bytes);
}

/** Sends a document of foreman's own. */
export function tell(call: Call, statusCode: number, document: unknown): void {
  const headers = ["Content-Type", "application/json; charset=utf-8"];
  answer(call, statusCode, headers, JSON.stringify(document));
}

/**
 * Tells an error in the route's own shape, with Retry-After where the error knows when. Ollama's
 * routes have its words, where it has some, and foreman's beside them in a header.
 */
export function answerError(
  call: Pick<Call, "outgoing" | "extraHeaders" | "path" | "shape">,
  error: ForemanError,
): void {
  const { code, message, problems } = error;
  const options = { requestId: newRequestId(), code, problems };
  const words = isOllamas(call) ? error.ollamaWords : null;
  const said = errorBody(call.shape, error.statusCode, words ?? message, options);
  const { body, contentType } = said;
  const headers = ["Content-Type", contentType];
  if (words !== null) headers.push("X-Foreman-Reason", asHeader(message));
  if (error.retryAfterS !== null) headers.push("Retry-After", String(error.retryAfterS));
  if (error.code === "unauthorized") headers.push("WWW-Authenticate", "Bearer");
  answer(call, error.statusCode, headers, body);
}

function isOllamas({ path, shape }: Pick<Call, "path" | "shape">): boolean {
  return (
    shape === "openai" || shape === "anthropic" || (shape === "native" && path.startsWith("/api/"))
  );
}

/** A note may have any letters, a header (RFC 9110 §5.5) only those of ASCII. */
function asHeader(words: string): string {
  return words.replace(/[^\x20-\x7e]/g, "?");
}

/**
 * Calls `onGone` once if the client goes before the answer is finished. As in Go's server, a client
 * that closes its sending half counts as gone: a killed program closes in just that way.
 *
 * @returns a function that ends the watch
 */
export function watchClient({ incoming, outgoing }: Call, onGone: () => void): () => void {
  const { socket } = incoming;
  const stop = () => {
    outgoing.off("close", closed);
    socket.off("end", gone);
  };
  function gone(): void {
    stop();
    onGone();
    // Half-closed sockets are left open by the server, and nothing more will be written to this
    // one.
    outgoing.destroy();
  }
  function closed(): void {
    stop();
    if (!outgoing.writableFinished) onGone();
  }
  outgoing.on("close", closed);
  socket.on("end", gone);
  if (outgoing.destroyed || socket.destroyed || socket.readableEnded) queueMicrotask(gone);
  return stop;
}
