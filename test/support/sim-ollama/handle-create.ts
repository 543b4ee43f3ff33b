import { bindNativeBody, flagOf, objectOf, textOf } from "./bind-body.ts";
import type { Bound } from "./go-bind.ts";
import { displayName, isValidName, type ModelName, parseModelName } from "./model-name.ts";
import { hexDigest, type ModelSpec } from "./model-spec.ts";
import { ProgressStream } from "./progress-stream.ts";
import { requestStructs } from "./request-structs.ts";
import type { Call } from "./sim-core.ts";

type Fields = Bound["fields"];

/** POST /api/create, from another model or from an uploaded blob; its lines are Ollama's. */
export async function handleCreate(call: Call): Promise<void> {
  const { sim, exchange } = call;
  const bound = bindNativeBody(call.payload, requestStructs.create);
  if (bound.kind === "error") return exchange.reply.json(400, { error: bound.message });
  const { fields } = bound;
  const name = parseModelName(textOf(fields, "model") || textOf(fields, "name"));
  if (!isValidName(name)) return exchange.reply.json(400, { error: "invalid model name" });
  const progress = new ProgressStream(call, flagOf(fields, "stream") ?? true);
  const base = await findBase(call, fields, progress);
  if (base.kind === "error") return progress.fail(base.message, base.status);
  await sim.pace.sleep(sim.settings.pullStepMs, exchange);
  if (exchange.isGone) return;
  await progress.say({ status: `using existing layer sha256:${base.blob}` });
  if (base.model === null) await progress.say({ status: "using autodetected template chatml" });
  const made = addModel(call, fields, name, base);
  await progress.say({ status: `creating new layer sha256:${made.digest}` });
  await progress.say({ status: "writing manifest" });
  await progress.say({ status: "success" });
  progress.end();
}

type Base = { readonly kind: "base"; readonly blob: string; readonly model: ModelSpec | null };
type Failure = { readonly kind: "error"; readonly message: string; readonly status: number };

/** `from` comes before `files`; of several files the first counts. */
async function findBase(
  { sim }: Call,
  fields: Fields,
  progress: ProgressStream,
): Promise<Base | Failure> {
  const from = textOf(fields, "from");
  if (from !== "") {
    const model = sim.library.findByText(from);
    if (model !== null) return { kind: "base", blob: model.blob, model };
    await progress.say({ status: "pulling manifest" });
    return { kind: "error", message: "pull model manifest: file does not exist", status: 500 };
  }
  if (fields.files === undefined) {
    return { kind: "error", message: "neither 'from' or 'files' was specified", status: 400 };
  }
  const [digest] = Object.values(objectOf(fields, "files"));
  if (typeof digest !== "string") {
    return { kind: "error", message: "no files provided to convert", status: 400 };
  }
  const blob = blobOf(digest);
  await progress.say({ status: "parsing GGUF" });
  if (!sim.library.hasBlob(digest)) {
    const message = `open /models/blobs/sha256-${blob}: no such file or directory`;
    return { kind: "error", message, status: 500 };
  }
  await progress.say({ status: "verifying conversion" });
  return { kind: "base", blob, model: null };
}

function blobsOf(fields: Fields, field: string): readonly string[] {
  return Object.values(objectOf(fields, field)).map((digest) => blobOf(String(digest)));
}

function blobOf(digest: string): string {
  return digest.replace(/^sha256[:-]/, "");
}

function addModel({ sim }: Call, fields: Fields, name: ModelName, base: Base): ModelSpec {
  const system = textOf(fields, "system");
  const template = textOf(fields, "template");
  const made = {
    ...(base.model ?? {}),
    blob: base.blob,
    ...(system !== "" && { system }),
    ...(template !== "" && { template }),
    adapters: [...(base.model?.adapters ?? []), ...blobsOf(fields, "adapters")],
    parameters: { ...base.model?.parameters, ...objectOf(fields, "parameters") },
  };
  const { adapters, parameters } = made;
  const parts = [base.model?.name, base.blob, adapters, made.system, made.template, parameters];
  // The same recipe makes the same manifest, whatever its name.
  const digest = hexDigest(JSON.stringify(parts));
  return sim.library.add({ ...made, name: displayName(name), digest });
}
