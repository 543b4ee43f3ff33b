import { ForemanError } from "../../errors.ts";
import { answerError, type Call } from "../call.ts";
import { type ChatDeps, chat } from "./chat.ts";
import {
  listChanges,
  listProviders,
  type ProvidersDeps,
  patchProvider,
  setOrder,
  showOrder,
} from "./providers.ts";

export type RuntimeRoutesDeps = ChatDeps & ProvidersDeps;

type Handler = (call: Call) => Promise<void> | void;
type Route = readonly [method: string, path: string, handler: Handler];

const base = "/api/runtime/llm";

/**
 * The routes of the runtime-LLM API, in the order in which they are looked up. The last ones refuse
 * what is left below `/api/runtime/`, which is never Ollama's.
 */
export function runtimeRoutes(deps: RuntimeRoutesDeps): readonly Route[] {
  const routes: readonly Route[] = [
    ["POST", `${base}/chat`, (call) => chat(call, deps)],
    ["GET", `${base}/providers`, (call) => listProviders(call, deps)],
    ["GET", `${base}/providers/order`, (call) => showOrder(call, deps)],
    ["PUT", `${base}/providers/order`, (call) => setOrder(call, deps)],
    ["GET", `${base}/providers/changes`, (call) => listChanges(call, deps)],
    ["PATCH", `${base}/providers/:id`, (call) => patchProvider(call, lastPart(call), deps)],
  ];
  const paths = new Set(routes.map(([, path]) => path));
  const others = [...paths].map((path): Route => {
    const allowed = routes.filter((route) => route[1] === path).map(([method]) => method);
    return ["ALL", path, (call) => refuseMethod(call, allowed)];
  });
  return [...routes, ...others, ["ALL", "/api/runtime/*", refusePath]];
}

function lastPart({ path }: Call): string {
  return path.split("/").at(-1) ?? "";
}

function refuseMethod(call: Call, allowed: readonly string[]): void {
  const { extraHeaders, incoming, outgoing, shape } = call;
  const message = `${incoming.method} is not known here: ${allowed.join(", ")}`;
  const error = new ForemanError("method_not_allowed", message);
  answerError(
    { outgoing, shape, extraHeaders: [...extraHeaders, "Allow", allowed.join(", ")] },
    error,
  );
}

function refusePath({ path }: Call): void {
  throw new ForemanError("not_found", `there is no ${path}: /openapi.json lists what there is`);
}
