import type { IncomingMessage, ServerResponse } from "node:http";
import { ForemanError } from "../../errors.ts";
import { answer, answerError, type Call } from "../call.ts";
import type { ErrorShape } from "../error-shapes.ts";
import type { Access } from "./access.ts";
import { isAdminRoute } from "./admin-routes.ts";
import type { BodyBudget } from "./body-budget.ts";
import { passesOf, routePath } from "./front-door.ts";
import { decideHost, type HostPolicyOptions } from "./host-policy.ts";
import type { OriginPolicy } from "./origin-policy.ts";

/** A request that came back so often runs in a circle that nobody meant. */
const passesMax = 3;

/** Everything that is not Ollama's is foreman's own, and open to fewer pages. */
const ollamaPaths = /^\/$|^\/api\/(?!runtime\/)|^\/v1\//;

type ReceptionOptions = {
  readonly budget: BodyBudget;
  readonly hosts: HostPolicyOptions;
  readonly origins: { readonly ollama: OriginPolicy; readonly own: OriginPolicy };
  readonly access: (incoming: IncomingMessage) => Access;
};

/** Sees every request first, whatever its route. */
export type Reception = {
  /** The call, if the request may go on; null if it was answered here. */
  receive(incoming: IncomingMessage, outgoing: ServerResponse): Call | null;
};

/**
 * The checks before any route, in Ollama's order and then foreman's own:
 * 1. Host (against DNS rebinding). 2. Origin (against other sites' pages), and preflights.
 * 3. Token: default-deny, and its scope. 4. A request that runs in a circle.
 */
export function createReception(options: ReceptionOptions): Reception {
  const { access, budget, hosts, origins } = options;
  return {
    receive(incoming, outgoing) {
      const path = routePath(incoming.url ?? "/") ?? "/";
      const { headers, method = "GET", url = "/" } = incoming;
      const host = headers.host ?? "";
      const bare = { outgoing, extraHeaders: [] };
      // 1.
      const hostDecision = decideHost(method, host, hosts);
      if (hostDecision !== "pass" && !headers.origin) {
        answer(bare, hostDecision === "refuse" ? 403 : 204, [], "");
        return null;
      }
      if (hostDecision === "refuse") {
        answer(bare, 403, [], "");
        return null;
      }
      // 2.
      const policy = ollamaPaths.test(path) ? origins.ollama : origins.own;
      const decision = policy({ method, host, origin: headers.origin ?? null });
      if (decision.kind !== "pass") {
        const isPreflight = decision.kind === "preflight";
        answer(bare, decision.statusCode, isPreflight ? decision.headers : [], "");
        return null;
      }
      const common = { outgoing, path, extraHeaders: decision.headers, shape: shapeOf(path) };
      // 3.
      const judged = access(incoming);
      if (judged.kind === "denied") {
        answerError(common, new ForemanError("unauthorized", "a valid bearer token is required"));
        return null;
      }
      const isAdmin = judged.scope === "admin";
      if (!isAdmin && isAdminRoute(method, path)) {
        const message = `${path} wants a token of scope "admin"; this one's is "user"`;
        answerError(common, new ForemanError("forbidden", message));
        return null;
      }
      // 4.
      const passes = passesOf(incoming);
      if (passes >= passesMax) {
        const message = "the request runs in a circle: FOREMAN_OLLAMA_URL leads back to foreman";
        answerError(common, new ForemanError("request_loop", message));
        return null;
      }
      const client = clientOf(incoming, judged.name);
      const hold = budget.holderFor(outgoing);
      return { ...common, incoming, path, url, passes, client, isAdmin, hold };
    },
  };
}

function shapeOf(path: string): ErrorShape {
  if (path.startsWith("/api/runtime/")) return "fastapi";
  if (!path.startsWith("/v1/")) return "native";
  return path.startsWith("/v1/messages") ? "anthropic" : "openai";
}

/** A token's name, else the user that Open WebUI vouches for, else the address. */
function clientOf({ headers, socket }: IncomingMessage, name: string | null): string {
  const user = headers["x-openwebui-user-id"];
  const address = socket.remoteAddress ?? "unknown";
  return name ?? (typeof user === "string" && user !== "" ? `user:${user}` : address);
}
