import { type Call, tell } from "../call.ts";
import { type PauseDeps, pause, resume } from "./pause.ts";
import { drain, loadModel, type RunTimeDeps, setSlots, unloadModel } from "./run-time.ts";

export type ControlDeps = PauseDeps & RunTimeDeps;

type Route = readonly [method: string, path: string, handler: (call: Call) => Promise<void> | void];

/** What an operator may do to a running foreman; door/admin-routes.ts keeps it for admins. */
export function controlRoutes(deps: ControlDeps): readonly Route[] {
  return [
    ["POST", "/foreman/pause", (call) => pause(call, deps)],
    ["POST", "/foreman/resume", (call) => resume(call, deps)],
    ["POST", "/foreman/drain", (call) => drain(call, deps)],
    ["PUT", "/foreman/slots", (call) => setSlots(call, deps)],
    ["POST", "/foreman/models/load", (call) => loadModel(call, deps)],
    ["POST", "/foreman/models/unload", (call) => unloadModel(call, deps)],
    ["GET", "/foreman/changes", (call) => tell(call, 200, { changes: deps.controls.changes })],
  ];
}
