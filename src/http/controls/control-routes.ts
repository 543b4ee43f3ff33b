import { ForemanError } from "../../errors.ts";
import type { History } from "../../history/history.ts";
import { historyQuery } from "../../wire/history.ts";
import { type Call, queryOf, tell } from "../call.ts";
import type { EventStreams } from "../events/event-streams.ts";
import { type PauseDeps, pause, resume } from "./pause.ts";
import { drain, loadModel, type RunTimeDeps, setSlots, unloadModel } from "./run-time.ts";
import { type StatusFeed, tellStatusEvents } from "./status-feed.ts";

export type ControlDeps = PauseDeps &
  RunTimeDeps & {
    readonly history: History;
    readonly eventStreams: EventStreams;
    readonly statusFeed: StatusFeed;
  };

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
    ["GET", "/foreman/events", (call) => tellStatusEvents(call, deps)],
    ["GET", "/foreman/history", (call) => tellHistory(call, deps)],
    ["GET", "/foreman/changes", (call) => tell(call, 200, { changes: deps.controls.changes })],
  ];
}

function tellHistory(call: Call, { history }: ControlDeps): void {
  const parsed = historyQuery.safeParse(queryOf(call));
  if (!parsed.success) throw new ForemanError("bad_request", 'span is "hour" or "day"');
  tell(call, 200, history.tell(parsed.data.span));
}
