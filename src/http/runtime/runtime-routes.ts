import { ForemanError } from "../../errors.ts";
import { answerError, type Call } from "../call.ts";
import { type BatchRoutesDeps, batchRoutes } from "./batch-routes.ts";
import { type ChatDeps, chat } from "./chat.ts";
import {
  listChanges,
  listProviders,
  type ProvidersDeps,
  patchProvider,
  setOrder,
  showOrder,
} from "./providers.ts";
import { llm, type Route } from "./route.ts";

export type RuntimeRoutesDeps = ChatDeps & ProvidersDeps & BatchRoutesDeps;

/**
 * The routes of the runtime-LLM API, in the order in which they are looked up. The last ones refuse
 * what is left below `/api/runtime/`, which is never Ollama's.
 */
export function runtimeRoutes(deps: RuntimeRoutesDeps): readonly Route[] {
  const routes: readonly Route[] = [
    ["POST", `${llm}/chat`, (call) => chat(call, deps)],
    ["GET", `${llm}/providers`, (call) => listProviders(call, deps)],
    ["GET", `${llm}/providers/order`, (call) => showOrder(call, deps)],
    ["PUT", `${llm}/providers/order`, (call) => setOrder(call, deps)],
    ["GET", `${llm}/providers/changes`, (call) => listChanges(call, deps)],
    ["PATCH", `${llm}/providers/:id`, (call) => patchProvider(call, lastPart(call), deps)],
    ...batchRoutes(deps),
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
  const { extraHeaders, incoming } = call;
  const message = `${incoming.method} is not known here: ${allowed.join(", ")}`;
  const error = new ForemanError("method_not_allowed", message);
  answerError({ ...call, extraHeaders: [...extraHeaders, "Allow", allowed.join(", ")] }, error);
}

function refusePath({ path }: Call): void {
  throw new ForemanError("not_found", `there is no ${path}: /openapi.json lists what there is`);
}
