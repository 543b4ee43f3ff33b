import type { Poller } from "../target/poller.ts";
import type { Target, TargetExchange, TargetRequest, TargetSink } from "../target/target.ts";
import type { Call } from "./call.ts";
import { detachBody } from "./detach-body.ts";
import { gather } from "./gather.ts";
import { Relay } from "./relay.ts";

type PassOptions = {
  readonly target: Target;
  readonly body: TargetRequest["body"];
  /** Whether to ask twice does no more than to ask once, and the body can be sent again. */
  readonly isRepeatable?: boolean;
  /** Called once the target's answer is complete, before its end is told to the client. */
  readonly onAnswered?: () => void;
};

/**
 * Sends a request straight to the target and relays the answer, at the client's pace. A repeatable
 * request is sent once more if the connection died before any answer: an idle connection may be
 * closed by the target at the very moment at which it is used again (RFC 9112 §9.3.1).
 */
export function pass(call: Call, options: PassOptions): Promise<void> {
  const { body, isRepeatable = false, onAnswered, target } = options;
  const { incoming, url } = call;
  const { method = "GET", rawHeaders } = incoming;
  return new Promise((resolve) => {
    let exchange: TargetExchange | null = null;
    const relay = new Relay(call, {
      pressure: "hold",
      onGone: () => exchange?.abort(),
      onOver: resolve,
    });
    const send = (mayRepeat: boolean) => {
      const sink: TargetSink = {
        head: (head) => relay.head(head),
        chunk: (bytes) => relay.chunk(bytes),
        end: () => {
          onAnswered?.();
          relay.end();
        },
        failed: (failure) => {
          const isUnanswered = failure.kind === "lost" && !failure.afterHead;
          if (mayRepeat && isUnanswered && !relay.isOver) send(false);
          else relay.failed(failure);
        },
      };
      exchange = target.send({ method, path: url, rawHeaders, body }, sink);
      relay.follow(exchange);
    };
    send(isRepeatable);
  });
}

export type BypassDeps = {
  readonly target: Target;
  readonly poller: Poller;
  readonly bodyBytesMax: number;
};

/** Pipes a request of a route that foreman does not know, so that a newer Ollama works too. */
export async function passOther(call: Call, deps: BypassDeps): Promise<void> {
  const body = await bodyToPass(call, deps.bodyBytesMax);
  const { method } = call.incoming;
  const isRepeatable = method === "GET" || method === "HEAD";
  await pass(call, { target: deps.target, body, isRepeatable });
}

/** The same for a route that changes the list of models, which is read anew before the end. */
export async function passManaged(call: Call, deps: BypassDeps): Promise<void> {
  const { bodyBytesMax, poller, target } = deps;
  const body = await bodyToPass(call, bodyBytesMax);
  await pass(call, { target, body, onAnswered: () => void poller.refresh() });
}

/**
 * With a length a body is piped as it comes. Without one it is gathered first, because Ollama
 * notices a disconnect only once it has read a body to its end; uploads of layers, which may be
 * larger than any memory, are piped all the same.
 */
async function bodyToPass(call: Call, bytesMax: number): Promise<TargetRequest["body"]> {
  const { incoming, path } = call;
  const { headers } = incoming;
  if (Number(headers["content-length"] ?? 0) > 0) return detachBody(incoming);
  if (headers["transfer-encoding"] === undefined) return null;
  const isUpload = path.startsWith("/api/blobs/");
  return isUpload ? detachBody(incoming) : await gather(call, { bytesMax });
}
