import { bindNativeBody, flagOf, textOf } from "./bind-body.ts";
import type { Bound } from "./go-bind.ts";
import { displayName, parseModelName, readModelReference } from "./model-name.ts";
import type { ModelSpec } from "./model-spec.ts";
import { completeModel } from "./model-spec.ts";
import { ProgressStream } from "./progress-stream.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

/** POST /api/pull: finds what the sim has already and what its catalogue holds. */
export async function handlePull(call: Call): Promise<void> {
  const { sim, exchange } = call;
  const bound = bindNativeBody(call.payload, requestStructs.pull);
  if (bound.kind === "error") return exchange.reply.json(400, { error: bound.message });
  const text = textOf(bound.fields, "model") || textOf(bound.fields, "name");
  const reference = readModelReference(text);
  if (reference.kind === "conflicting") {
    return exchange.reply.json(400, { error: reference.message });
  }
  if (reference.kind !== "named") return exchange.reply.json(400, { error: "invalid model name" });
  const progress = new ProgressStream(call, isStreaming(bound.fields));
  await progress.say({ status: "pulling manifest" });
  const wanted = displayName(reference.name).toLowerCase();
  const known = sim.library.find(reference.name);
  const init = sim.settings.catalogue.find((each) => isNamed(each.name, wanted)) ?? known;
  if (init === null) return progress.fail("pull model manifest: file does not exist");
  const model = known ?? completeModel({ ...init }, 0);
  if (!(await transfer(call, progress, model, "pulling"))) return;
  await progress.say({ status: "verifying sha256 digest" });
  await progress.say({ status: "writing manifest" });
  // Not before: a model that is being pulled is listed by nobody.
  if (known === null) sim.library.add({ ...init });
  await progress.say({ status: "success" });
  progress.end();
}

/** POST /api/push. */
export async function handlePush(call: Call): Promise<void> {
  const { sim, exchange } = call;
  const bound = bindNativeBody(call.payload, requestStructs.push);
  if (bound.kind === "error") return exchange.reply.json(400, { error: bound.message });
  const text = textOf(bound.fields, "model") || textOf(bound.fields, "name");
  if (text === "") return exchange.reply.json(400, { error: "model is required" });
  const progress = new ProgressStream(call, isStreaming(bound.fields));
  await progress.say({ status: "retrieving manifest" });
  const model = sim.library.findByText(text);
  if (model === null) {
    await progress.say({ status: "couldn't retrieve manifest" });
    const { host, namespace, model: name, tag } = parseModelName(text);
    const path = `/models/manifests/${host}/${namespace}/${name}/${tag}`;
    return progress.fail(`open ${path}: no such file or directory`);
  }
  if (!(await transfer(call, progress, model, "pushing"))) return;
  await progress.say({ status: "pushing manifest" });
  await progress.say({ status: "success" });
  progress.end();
}

/** The lines of one layer; false when the client left. */
async function transfer(
  { sim, exchange }: Call,
  progress: ProgressStream,
  model: ModelSpec,
  verb: "pulling" | "pushing",
): Promise<boolean> {
  const steps = sim.settings.pullSteps;
  for (let step = 0; step <= steps; step += 1) {
    const completed = Math.floor((model.sizeBytes * step) / steps);
    const digest = `sha256:${model.blob}`;
    const sized = { digest, total: model.sizeBytes, ...(completed > 0 && { completed }) };
    await progress.say({ status: `${verb} ${model.blob.slice(0, 12)}`, ...sized });
    if (step < steps) await sim.pace.sleep(sim.settings.pullStepMs, exchange);
    if (exchange.isGone) return false;
  }
  return true;
}

function isNamed(name: string, wanted: string): boolean {
  return displayName(parseModelName(name)).toLowerCase() === wanted;
}

function isStreaming(fields: Fields): boolean {
  return flagOf(fields, "stream") ?? true;
}
