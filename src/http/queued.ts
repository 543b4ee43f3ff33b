import type { Clock } from "../clock.ts";
import { type Job, newJobId } from "../job.ts";
import type { Queue } from "../queue/queue.ts";
import { without } from "../target/hop-headers.ts";
import type { Inventory } from "../target/inventory.ts";
import type { Poller } from "../target/poller.ts";
import { runnerKeyOf } from "../target/runner-key.ts";
import type { Target } from "../target/target.ts";
import type { TagsModel } from "../wire/ollama.ts";
import type { RequestKind } from "../wire/request-fields.ts";
import type { Refusal } from "../wire/request-refusals.ts";
import { pass } from "./bypass.ts";
import { answer, type Call } from "./call.ts";
import { errorBody } from "./error-shapes.ts";
import { readQueued, readQueuedForm } from "./read-queued.ts";
import { newRequestId } from "./request-id.ts";
import { WaitingClient } from "./waiting-client.ts";

/** An unload is answered before it happens; what is loaded is asked again a little later. */
const unloadSettlesMs = 300;

export type QueuedDeps = {
  readonly queue: Queue;
  readonly target: Target;
  readonly inventory: Inventory;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly bodyBytesMax: number;
  readonly fillerAfterMs: number;
  /** Given to requests that set none; null to leave them alone. */
  readonly keepAlive: string | null;
};

/** What a request is, once it has been read. */
type Work = {
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly model: string;
  readonly isStream: boolean;
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
    const message = notFound(peeked.model);
    refuse(call, { statusCode: 404, message, writtenBy: "handler" }, peeked.isStream);
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
  wait(call, { ...peeked, body, bodyHash: read.bodyHash }, model, deps);
}

/** The same for a multipart form, of which nothing but the model is read. */
export async function queueForm(call: Call, deps: QueuedDeps): Promise<void> {
  const { body, bodyHash, model: name } = await readQueuedForm(call, deps.bodyBytesMax);
  const model = name === "" ? null : await findModel(name, deps);
  // Ollama says what it misses in a form without using the GPU.
  if (name === "" || model === "unknown" || model?.remote_host || call.passes > 0) {
    await pass(call, { target: deps.target, body });
    return;
  }
  wait(call, { body, bodyHash, model: name, isStream: false, loadOptions: "" }, model, deps);
}

/** Null: not known, because the target could not be asked; it will say itself when it is back. */
async function findModel(
  name: string,
  { inventory, poller }: QueuedDeps,
): Promise<TagsModel | null | "unknown"> {
  const known = inventory.find(name);
  if (known !== null) return known;
  const { listings } = inventory;
  await poller.refresh();
  const isAsked = inventory.listings > listings;
  return inventory.find(name) ?? (isAsked ? "unknown" : null);
}

function wait(call: Call, work: Work, model: TagsModel | null, deps: QueuedDeps): void {
  const { clock, fillerAfterMs, queue } = deps;
  const { incoming, outgoing, url } = call;
  const enqueuedAtMs = clock.wallMs();
  const job: Job = {
    id: newJobId(enqueuedAtMs),
    class: "interactive",
    client: call.client,
    route: url,
    model: work.model,
    runnerKey: runnerKeyOf(model?.digest || work.model, work.loadOptions),
    isDurable: false,
    bodyBytes: work.body.length,
    bodyHash: work.bodyHash,
    enqueuedAtMs,
  };
  const waiter = new WaitingClient(call, {
    jobId: job.id,
    clock,
    isStream: work.isStream,
    fillerAfterMs,
    onGone: (why) => queue.leave(job.id, why),
  });
  if (outgoing.destroyed) return;
  const { method = "POST" } = incoming;
  // Ollama compresses nothing; a proxy before it might, and the end marker must be readable.
  const rawHeaders = without(incoming.rawHeaders, "accept-encoding");
  const refusal = queue.submit({ job, method, rawHeaders, body: work.body, waiter });
  if (refusal !== null) waiter.refuse(refusal);
}

async function passUnload(call: Call, body: Buffer, deps: QueuedDeps): Promise<void> {
  const { clock, poller, target } = deps;
  await pass(call, { target, body, onAnswered: () => void poller.refreshLoaded() });
  clock.after(unloadSettlesMs, () => void poller.refreshLoaded());
}

/** Ollama's compatibility layer sets this for a stream before it knows of any error. */
const streamHeaders: { readonly [path: string]: readonly string[] } = {
  "/v1/messages": ["Cache-Control", "no-cache"],
  "/v1/responses": ["Cache-Control", "no-cache"],
};

function refuse(call: Call, refusal: Omit<Refusal, "kind">, isStream = false): void {
  const { message, statusCode, writtenBy } = refusal;
  const options = { requestId: newRequestId(), writtenBy };
  const { body, contentType } = errorBody(call.shape, statusCode, message, options);
  const early = isStream ? (streamHeaders[call.path] ?? []) : [];
  answer(call, statusCode, [...early, "Content-Type", contentType], body);
}

/** Ollama's words (server/routes.go), the name as it was sent. */
function notFound(model: string): string {
  return `model '${model}' not found`;
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
