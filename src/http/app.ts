import { posix } from "node:path";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { matchedRoutes } from "hono/route";
import type { LimitFunction } from "p-limit";
import type { Gpu } from "../gpu-probe.ts";
import type { Log } from "../log.ts";
import type { Answered } from "../metrics/http-meter.ts";
import type { Backup } from "../store/backups.ts";
import { type PolledRoute, polledRoutes } from "../target/inventory.ts";
import type { RequestKind } from "../wire/request-fields.ts";
import type { Status } from "../wire/status.ts";
import type { AppEnv } from "./app-env.ts";
import { passManaged, passOther } from "./bypass.ts";
import { answer, type Call, tell } from "./call.ts";
import { type ControlDeps, controlRoutes } from "./controls/control-routes.ts";
import { routePath } from "./door/front-door.ts";
import type { Reception } from "./door/reception.ts";
import { createEmbed } from "./embed.ts";
import { addHealthRoutes, type Health } from "./health-routes.ts";
import { answerFromInventory } from "./inventory-routes.ts";
import { cancelJobs } from "./jobs/cancel-jobs.ts";
import { type JobEventsDeps, tellJobEvents } from "./jobs/job-events.ts";
import { showRequest } from "./jobs/job-request.ts";
import {
  cancelJob,
  type JobsDeps,
  listJobs,
  showArtifact,
  showJob,
  submitJob,
} from "./jobs/jobs.ts";
import { openapiDocument, operations } from "./openapi/openapi-document.ts";
import { pageRoutes } from "./page/page-routes.ts";
import { queueForm, queueRequest } from "./queued.ts";
import { type RuntimeRoutesDeps, runtimeRoutes } from "./runtime/runtime-routes.ts";
import { tellError } from "./tell-error.ts";

/**
 * Routes that occupy the GPU, with what their bodies are; from Ollama's server/routes.go, v0.33.
 */
const queuedRoutes: { readonly [path: string]: RequestKind } = {
  "/api/chat": "chat",
  "/api/generate": "generate",
  "/v1/chat/completions": "openai-chat",
  "/v1/completions": "openai-completion",
  "/v1/messages": "anthropic-messages",
  "/v1/responses": "openai-responses",
};

const queuedForms = ["/v1/audio/transcriptions"];

const embeddingRoutes = ["/api/embed", "/api/embeddings", "/v1/embeddings"];

/** What changes the list of models, so that it is read anew. */
const managedRoutes: readonly (readonly [method: string, path: string])[] = [
  ["POST", "/api/pull"],
  ["POST", "/api/create"],
  ["POST", "/api/push"],
  ["POST", "/api/copy"],
  ["DELETE", "/api/delete"],
];

/** The polled routes, and whether Ollama answers HEAD there; elsewhere it says 405. */
const inventoryRoutes: Readonly<Record<PolledRoute, boolean>> = {
  "/api/version": true,
  "/api/tags": true,
  "/api/ps": false,
  "/v1/models": false,
};

export type AppDeps = JobsDeps &
  RuntimeRoutesDeps &
  JobEventsDeps &
  ControlDeps & {
    readonly log: Log;
    /** Foreman's own, for its description. */
    readonly version: string;
    readonly embedLimit: LimitFunction;
    readonly readHealth: () => Health;
    readonly readStatus: () => Promise<Status>;
    readonly backUp: () => Promise<Backup>;
    readonly reception: Reception;
    /** The answer to a scrape. */
    readonly readMetrics: () => Promise<string>;
    /** Called after each request that has a route or none, granted or not. */
    readonly onAnswered: (answered: Answered) => void;
    readonly readGpu: () => Promise<Gpu>;
  };

type Handler = (call: Call) => Promise<void> | void;

/** Foreman's routes: each hands its call to the module that knows its way, and decides nothing. */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ getPath: (_request, options) => pathOf(options?.env) });
  app.use(async (c, next) => {
    meter(c, deps);
    const call = deps.reception.receive(c.env.incoming, c.env.outgoing);
    if (call === null) return RESPONSE_ALREADY_SENT;
    c.set("call", call);
    for (const [name, value] of pairs(call.extraHeaders)) c.header(name, value, { append: true });
    await next();
    return undefined;
  });
  const written = (handler: Handler) => async (c: Context<AppEnv>) => {
    const call = c.get("call");
    try {
      await handler(call);
    } catch (cause) {
      tellError(call, cause, deps.log);
    }
    return RESPONSE_ALREADY_SENT;
  };
  const on = (method: string, path: string, handler: Handler) => {
    if (method === "ALL") app.all(path, written(handler));
    else app.on(method, path, written(handler));
  };

  // hono serves HEAD by the GET route; what must differ looks at the method itself.
  on("GET", "/", (call) => answer(call, 200, ["Content-Type", plainText], "Ollama is running"));
  for (const [path, hasHead] of entriesOf(inventoryRoutes)) {
    on("GET", path, (call) => {
      const isHere = hasHead || call.incoming.method === "GET";
      return isHere ? answerFromInventory(call, path, deps) : passOther(call, deps);
    });
  }
  for (const [path, kind] of Object.entries(queuedRoutes)) {
    on("POST", path, (call) => queueRequest(call, kind, deps));
  }
  for (const path of queuedForms) on("POST", path, (call) => queueForm(call, deps));
  const embed = createEmbed({ ...deps, limit: deps.embedLimit });
  for (const path of embeddingRoutes) on("POST", path, embed);
  for (const [method, path] of managedRoutes) on(method, path, (call) => passManaged(call, deps));
  addHealthRoutes(app, deps);
  let openapi: string | null = null;
  on("GET", "/openapi.json", (call) => {
    openapi ??= JSON.stringify(openapiDocument(operations, deps.version));
    answer(call, 200, ["Content-Type", json], openapi);
  });
  on("GET", "/metrics", async (call) => {
    answer(call, 200, ["Content-Type", scrape], await deps.readMetrics());
  });
  on("GET", "/foreman/status", async (call) => tell(call, 200, await deps.readStatus()));
  on("POST", "/foreman/backup", async (call) => tell(call, 201, await deps.backUp()));
  for (const [method, path, handler] of controlRoutes(deps)) on(method, path, handler);
  for (const [method, path, handler] of pageRoutes()) on(method, path, handler);
  on("POST", "/jobs", (call) => submitJob(call, deps));
  on("GET", "/jobs", (call) => listJobs(call, deps));
  on("POST", "/jobs/cancel", (call) => cancelJobs(call, deps));
  on("GET", "/jobs/:id", (call) => showJob(call, partsOf(call)[1] ?? "", deps));
  on("POST", "/jobs/:id/cancel", (call) => cancelJob(call, partsOf(call)[1] ?? "", deps));
  on("GET", "/jobs/:id/events", (call) => tellJobEvents(call, partsOf(call)[1] ?? "", deps));
  on("GET", "/jobs/:id/request", (call) => showRequest(call, partsOf(call)[1] ?? "", deps));
  on("GET", "/jobs/:id/artifacts/:name", (call) => {
    const [, id = "", , name = ""] = partsOf(call);
    return showArtifact(call, [id, name], deps);
  });
  for (const [method, path, handler] of runtimeRoutes(deps)) on(method, path, handler);
  for (const path of ["/api/*", "/v1/*"]) on("ALL", path, (call) => passOther(call, deps));

  app.notFound(written((call) => answerUnknown(call, deps)));
  return app;
}

const json = "application/json; charset=utf-8";
/** Prometheus's text format, as its exposition formats page has it (2026-11). */
const scrape = "text/plain; version=0.0.4; charset=utf-8";
const plainText = "text/plain; charset=utf-8";

/** Tells of a request when it is over. Only its route is told, which is no client's to choose. */
function meter(c: Context<AppEnv>, { clock, onAnswered }: AppDeps): void {
  const { outgoing } = c.env;
  const startedMs = clock.monotonicMs();
  // The first is the hook that all requests pass.
  const [, route] = matchedRoutes(c);
  outgoing.once("close", () => {
    onAnswered({
      method: route?.method ?? "ALL",
      route: route?.path ?? "unknown",
      statusCode: outgoing.headersSent ? outgoing.statusCode : null,
      tookMs: clock.monotonicMs() - startedMs,
    });
  });
}

function pathOf(env: AppEnv["Bindings"] | undefined): string {
  return routePath(env?.incoming.url ?? "/") ?? "/";
}

/**
 * Base URLs that end in a slash make //api/chat, which Ollama answers with a redirect; so it does
 * with all that becomes a path of its own once cleaned. Other methods than GET on / are its too.
 */
async function answerUnknown(call: Call, deps: AppDeps): Promise<void> {
  if (/^\/$|^\/(api|v1)\//.test(posix.normalize(call.path))) await passOther(call, deps);
  else answer(call, 404, ["Content-Type", "text/plain"], "404 page not found");
}

/** The parts of a path of foreman's own: "jobs", the id, and so on. */
function partsOf({ path }: Call): readonly string[] {
  return path.split("/").slice(1);
}

function entriesOf(routes: typeof inventoryRoutes): (readonly [PolledRoute, boolean])[] {
  return polledRoutes.map((route) => [route, routes[route]]);
}

function pairs(rawHeaders: readonly string[]): (readonly [name: string, value: string])[] {
  return rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? ""]] : []));
}
