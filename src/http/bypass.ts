import type { Poller } from "../target/poller.ts";
import type { Target, TargetRequest, TargetSink } from "../target/target.ts";
import type { Call } from "./call.ts";
import { gather } from "./gather.ts";
import { Relay } from "./relay.ts";

type PassOptions = {
  readonly target: Target;
  readonly body: TargetRequest["body"];
  /** Called once the target's answer is complete, before its end is told to the client. */
  readonly onAnswered?: () => void;
};

/** Sends a request straight to the target and relays the answer, at the client's pace. */
export function pass(call: Call, { body, onAnswered, target }: PassOptions): Promise<void> {
  const { incoming, url } = call;
  return new Promise((resolve) => {
    const relay = new Relay(call, {
      pressure: "hold",
      onGone: () => exchange.abort(),
      onOver: resolve,
    });
    const sink: TargetSink = {
      head: (head) => relay.head(head),
      chunk: (bytes) => relay.chunk(bytes),
      end: () => {
        onAnswered?.();
        relay.end();
      },
      failed: (failure) => relay.failed(failure),
    };
    const { method = "GET", rawHeaders } = incoming;
    const exchange = target.send({ method, path: url, rawHeaders, body }, sink);
    relay.follow(exchange);
  });
}

export type BypassDeps = {
  readonly target: Target;
  readonly poller: Poller;
  readonly bodyBytesMax: number;
};

/** Pipes a request of a route that foreman does not know, so that a newer Ollama works too. */
export async function passOther(call: Call, deps: BypassDeps): Promise<void> {
  await pass(call, { target: deps.target, body: await bodyToPass(call, deps.bodyBytesMax) });
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
  if (Number(headers["content-length"] ?? 0) > 0) return incoming;
  if (headers["transfer-encoding"] === undefined) return null;
  return path.startsWith("/api/blobs/") ? incoming : await gather(incoming, { bytesMax });
}
