import type { Clock } from "../clock.ts";
import { newJob } from "../queue/new-job.ts";
import type { Queue } from "../queue/queue.ts";
import type { Store } from "../store/store.ts";
import { refreshAfterUnload } from "../target/after-unload.ts";
import { findModel } from "../target/find-model.ts";
import { without } from "../target/hop-headers.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import type { Target } from "../target/target.ts";
import type { RequestKind } from "../wire/request-fields.ts";
import { pass, passOther } from "./bypass.ts";
import type { Call } from "./call.ts";
import { idempotencyKeyOf, waitDurably } from "./durable-request.ts";
import { readQueued, readQueuedForm } from "./read-queued.ts";
import { refuse, refuseUnknown } from "./refuse.ts";
import { WaitingClient } from "./waiting-client.ts";

export type QueuedDeps = {
  readonly queue: Queue;
  readonly store: Store;
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly bodyBytesMax: number;
  readonly fillerAfterMs: number;
  /** The longest wait of a client, in ms; 0 for none. */
  readonly waitMsMax: number;
  /** Given to requests that set none; null to leave them alone. */
  readonly keepAlive: string | null;
};

/** What a request is, once it has been read. */
type Work = {
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly model: string;
  readonly isStream: boolean;
  readonly isPlainJson: boolean;
  readonly loadOptions: string;
};

/**
 * A generation request, from its bytes to its place in the queue.
 *
 * 1. What Ollama would refuse without the GPU is refused at once, in its words.
 * 2. What needs no GPU (cloud models, unloads), and what came back in a loop, goes past the queue.
 * 3. A model that the target does not have, asked once more, is refused as Ollama refuses it.
 * 4. The rest waits.
 */
export async function queueRequest(call: Call, kind: RequestKind, deps: QueuedDeps): Promise<void> {
  const { contentOffset, isEmptyObject, ...read } = await readQueued(call, kind, deps.bodyBytesMax);
  const { peeked } = read;
  // 1.
  if (peeked.kind === "refusal") {
    refuse(call, peeked);
    return;
  }
  // 2.
  if (peeked.source === "cloud" || call.passes > 0) {
    await pass(call, { target: deps.target, body: read.body });
    return;
  }
  // 3.
  const model = await findModel(peeked.model, deps);
  if (model === "unknown") {
    refuseUnknown(call, peeked.model, peeked.isStream);
    return;
  }
  const isRemote = Boolean(model?.remote_host);
  const makesImages = model?.capabilities?.includes("image") ?? false;
  if (peeked.refusalIfKnown !== null && model !== null && !isRemote && !makesImages) {
    refuse(call, peeked.refusalIfKnown, peeked.isStream);
    return;
  }
  if (peeked.isUnload || isRemote) {
    await passUnload(call, read.body, deps);
    return;
  }
  // 4.
  const isSpliced = deps.keepAlive !== null && peeked.keepAlive === null && contentOffset !== null;
  const isNative = kind === "chat" || kind === "generate";
  const body =
    isSpliced && isNative
      ? spliceKeepAlive(read.body, { contentOffset, isEmptyObject, value: deps.keepAlive ?? "" })
      : read.body;
  const isPlainJson = contentOffset !== null;
  await wait(call, { ...peeked, body, bodyHash: read.bodyHash, isPlainJson }, deps);
}

/** The same for a multipart form, of which nothing but the model is read. */
export async function queueForm(call: Call, deps: QueuedDeps): Promise<void> {
  // Go takes exactly this type for a form, and Ollama has its own words for what is none.
  if (!/^multipart\/form-data\s*(;|$)/i.test(call.incoming.headers["content-type"] ?? "")) {
    await passOther(call, deps);
    return;
  }
  const { body, bodyHash, model: name } = await readQueuedForm(call, deps.bodyBytesMax);
  const model = name === "" ? null : await findModel(name, deps);
  // Ollama says what it misses in a form without using the GPU.
  if (name === "" || model === "unknown" || model?.remote_host || call.passes > 0) {
    await pass(call, { target: deps.target, body });
    return;
  }
  const work = {
    body,
    bodyHash,
    model: name,
    isStream: false,
    isPlainJson: false,
    loadOptions: "",
  };
  await wait(call, work, deps);
}

async function wait(call: Call, work: Work, deps: QueuedDeps): Promise<void> {
  const { clock, fillerAfterMs, queue } = deps;
  // A form, and a compressed body, cannot be sent again without the headers that tell what it is.
  const idempotencyKey = work.isPlainJson ? idempotencyKeyOf(call) : null;
  const asked = { ...work, client: call.client, route: call.url };
  const job = newJob(asked, { clock, isDurable: idempotencyKey !== null });
  const client = { clock, isStream: work.isStream, fillerAfterMs };
  if (idempotencyKey !== null) {
    await waitDurably(call, { job, body: work.body, idempotencyKey, client }, deps);
    return;
  }
  const onGone = (why: "client_gone" | "client_too_slow") => queue.leave(job.id, why);
  const waiter = new WaitingClient(call, { ...client, jobId: job.id, onGone });
  if (call.outgoing.destroyed) return;
  const { method = "POST" } = call.incoming;
  // Ollama compresses nothing; a proxy before it might, and the end marker must be readable.
  const rawHeaders = without(call.incoming.rawHeaders, "accept-encoding");
  const refusal = queue.submit({ job, method, rawHeaders, body: work.body, waiter });
  if (refusal !== null) waiter.refuse(refusal);
}

async function passUnload(call: Call, body: Buffer, deps: QueuedDeps): Promise<void> {
  const { clock, poller, target } = deps;
  await pass(call, { target, body, onAnswered: () => void poller.refreshLoaded() });
  refreshAfterUnload(poller, clock);
}

type Splice = {
  readonly contentOffset: number;
  readonly isEmptyObject: boolean;
  readonly value: string;
};

/** Puts `keep_alive` in as the first member; every other byte stays as it is. */
function spliceKeepAlive(body: Buffer, { contentOffset, isEmptyObject, value }: Splice): Buffer {
  const isNumber = /^-?\d+$/.test(value);
  const comma = isEmptyObject ? "" : ",";
  const member = `"keep_alive":${isNumber ? value : JSON.stringify(value)}${comma}`;
  return Buffer.concat([
    body.subarray(0, contentOffset),
    Buffer.from(member),
    body.subarray(contentOffset),
  ]);
}
