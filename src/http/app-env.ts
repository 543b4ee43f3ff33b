import type { HttpBindings } from "@hono/node-server";
import type { Call } from "./call.ts";

/** What hono's context carries here: node's own request and response, and the call made of them. */
export type AppEnv = { Bindings: HttpBindings; Variables: { call: Call } };
