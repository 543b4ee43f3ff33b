import { createHash } from "node:crypto";
import type { Controls } from "../../controls/controls.ts";
import { ForemanError } from "../../errors.ts";
import { newJob } from "../../queue/new-job.ts";
import { refreshAfterUnload } from "../../target/after-unload.ts";
import { collect } from "../../target/collect.ts";
import { findModel } from "../../target/find-model.ts";
import { drainWish, loadWish, slotsWish, unloadWish } from "../../wire/controls.ts";
import { type Call, tell } from "../call.ts";
import type { QueuedDeps } from "../queued.ts";
import { readWish } from "./read-wish.ts";

export type RunTimeDeps = QueuedDeps & {
  readonly controls: Controls;
  /** Jobs that run. */
  readonly runningCount: () => number;
};

const loadRoute = "/api/generate";

/** What Ollama says to an unload is a line. */
const answerBytesMax = 64 * 2 ** 10;

/** `POST /foreman/drain`: until it is undone, or foreman starts anew. */
export async function drain(call: Call, deps: RunTimeDeps): Promise<void> {
  const { controls, queue, runningCount } = deps;
  const { note = null, on } = await readWish(call, drainWish);
  const { at, by } = await controls.note({ action: "drain", on }, { by: call.client, note });
  // As with a pause, who drains what is drained already changes nothing.
  queue.close(on ? (queue.closing ?? { since: at, by, note }) : null);
  const drain = queue.closing;
  const draining = drain !== null;
  tell(call, 200, { draining, drain, waiting: queue.depth, running: runningCount() });
}

/** `PUT /foreman/slots`. */
export async function setSlots(call: Call, { controls }: RunTimeDeps): Promise<void> {
  const { note = null, slots } = await readWish(call, slotsWish);
  await controls.setSlots(slots, { by: call.client, note });
  tell(call, 200, { slots: controls.slots, setting: controls.slotsSetting });
}

/** `POST /foreman/models/load`: a job as others are, so that nothing is loaded beside a run. */
export async function loadModel(call: Call, deps: RunTimeDeps): Promise<void> {
  const { clock, controls, queue } = deps;
  const { keep_alive, model } = await readWish(call, loadWish);
  await refuseUnknown(model, deps);
  const asked = { model, stream: false, ...(keep_alive !== undefined && { keep_alive }) };
  const body = Buffer.from(JSON.stringify(asked));
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const work = { client: call.client, route: loadRoute, body, bodyHash, model, loadOptions: "" };
  const job = newJob(work, { clock, isDurable: true });
  const nobody = { idempotencyKey: null, webhookUrl: null, hasClient: false };
  await queue.submitDurable({ ...nobody, job, body });
  await controls.note({ action: "load", model }, { by: call.client, note: null });
  tell(call, 202, { job_id: job.id });
}

/** `POST /foreman/models/unload`: past the queue, for Ollama waits for what runs on the model. */
export async function unloadModel(call: Call, deps: RunTimeDeps): Promise<void> {
  const { clock, controls, poller, target } = deps;
  const { model } = await readWish(call, unloadWish);
  await refuseUnknown(model, deps);
  const body = Buffer.from(JSON.stringify({ model, keep_alive: 0 }));
  const rawHeaders = ["Content-Type", "application/json"];
  const request = { method: "POST", path: loadRoute, rawHeaders, body };
  const answered = await collect(target, request, { bodyBytesMax: answerBytesMax });
  if (answered.kind !== "answer") {
    throw new ForemanError("target_unreachable", "Ollama did not answer: see /healthz");
  }
  const { statusCode } = answered.head;
  if (statusCode !== 200) {
    const said = answered.body.toString("utf8").slice(0, 500);
    throw new ForemanError("target_refused", `Ollama answered ${statusCode}: ${said}`);
  }
  await controls.note({ action: "unload", model }, { by: call.client, note: null });
  refreshAfterUnload(poller, clock);
  tell(call, 200, { model, unloaded: true });
}

async function refuseUnknown(model: string, deps: RunTimeDeps): Promise<void> {
  if ((await findModel(model, deps)) !== "unknown") return;
  throw new ForemanError("model_not_found", `Ollama has no model '${model}'`);
}
