import { displayName, fullName, type ModelReference, readModelReference } from "./model-name.ts";
import { completeModel, type ModelSpec } from "./model-spec.ts";
import type { Call } from "./sim-core.ts";

/** The model of a request, or the error that the route answers with. */
export type FoundModel =
  | {
      readonly kind: "model";
      readonly model: ModelSpec;
      /** As some errors show it. */
      readonly fullName: string;
      readonly isElsewhere: boolean;
    }
  | {
      readonly kind: "error";
      readonly status: number;
      readonly message: string;
      /** Found on the way to ollama.com: in the native shape, whatever the API. */
      readonly isFromCloud?: boolean;
    };

/** How a route words what it finds wrong with a name; the texts differ for no good reason. */
export type NameErrors = {
  readonly required: { readonly status: number; readonly message: string };
  readonly unknown: (text: string, display: string) => string;
};

/** Looks a request's model up, as parseAndValidateModelRef and GetModel do together. */
export function findModel(call: Call, text: string, errors: NameErrors): FoundModel {
  const reference = readModelReference(text);
  switch (reference.kind) {
    case "required":
      return { kind: "error", ...errors.required };
    case "conflicting":
      return { kind: "error", status: 400, message: reference.message };
    case "invalid":
      return { kind: "error", status: 400, message: "invalid model name" };
    case "named":
      return findNamed(call, text, reference, errors);
  }
}

function findNamed(
  call: Call,
  text: string,
  reference: Extract<ModelReference, { kind: "named" }>,
  errors: NameErrors,
): FoundModel {
  const { library } = call.sim;
  const full = fullName(reference.name);
  if (reference.source === "cloud") {
    const refusal = cloudRefusal(call);
    if (refusal !== null) return refusal;
    const model = completeModel({ name: displayName(reference.name), loadMs: 0 }, 0);
    return { kind: "model", model, fullName: full, isElsewhere: true };
  }
  const model = library.find(reference.name);
  const isRemote = model !== null && model.remoteHost !== "";
  if (model === null || (isRemote && reference.source === "local")) {
    const message = errors.unknown(text, displayName(library.canonical(reference.name)));
    return { kind: "error", status: 404, message };
  }
  const refusal = isRemote ? cloudRefusal(call) : null;
  return refusal ?? { kind: "model", model, fullName: full, isElsewhere: isRemote };
}

/** What the sim's setting makes of a request that would go to ollama.com. */
function cloudRefusal({ sim, exchange }: Call): Extract<FoundModel, { kind: "error" }> | null {
  const error = { kind: "error", isFromCloud: true } as const;
  switch (sim.settings.cloud) {
    case "answers":
      return null;
    case "unreachable": {
      const cause = "dial tcp: lookup ollama.com: no such host";
      const message = `Post "https://ollama.com:443${exchange.route}": ${cause}`;
      return { ...error, status: 502, message };
    }
    case "signed-out":
      return { ...error, status: 401, message: "unauthorized" };
    case "disabled": {
      const message = "ollama cloud is disabled: remote model is unavailable";
      return { ...error, status: 403, message };
    }
  }
}
