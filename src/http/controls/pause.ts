import type { Controls } from "../../controls/controls.ts";
import { ForemanError } from "../../errors.ts";
import { findModel } from "../../target/find-model.ts";
import { pauseWish } from "../../wire/controls.ts";
import { type Call, tell } from "../call.ts";
import type { QueuedDeps } from "../queued.ts";
import { readWish } from "./read-wish.ts";

export type PauseDeps = Pick<QueuedDeps, "clock" | "inventory" | "poller"> & {
  readonly controls: Controls;
};

/** `POST /foreman/pause`: answered when it is on the disk. */
export async function pause(call: Call, deps: PauseDeps): Promise<void> {
  const { note = null, ...wish } = await readWish(call, pauseWish);
  const scope = { class: wish.class ?? null, model: wish.model ?? null };
  // A pause of a misspelled model would hold nothing, and be believed.
  if (scope.model !== null && (await findModel(scope.model, deps)) === "unknown") {
    throw new ForemanError("model_not_found", `Ollama has no model '${scope.model}'`);
  }
  await deps.controls.pause(scope, { by: call.client, note });
  tell(call, 200, { paused: deps.controls.pauses });
}

/** `POST /foreman/resume`. */
export async function resume(call: Call, { controls }: PauseDeps): Promise<void> {
  const { note = null, ...wish } = await readWish(call, pauseWish);
  const scope = { class: wish.class ?? null, model: wish.model ?? null };
  await controls.resume(scope, { by: call.client, note });
  tell(call, 200, { paused: controls.pauses });
}
