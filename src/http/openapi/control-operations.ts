import {
  controlChanges,
  drainView,
  drainWish,
  loadView,
  loadWish,
  pausesView,
  pauseWish,
  slotsView,
  slotsWish,
  unloadView,
  unloadWish,
} from "../../wire/controls.ts";
import { plainError } from "../../wire/error-answers.ts";
import { historyDocument, historyQuery } from "../../wire/history.ts";
import { statusDocument } from "../../wire/status.ts";
import type { Operation } from "./operation.ts";

/** What an operator may do to a running foreman. */
export const controlOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/foreman/pause",
    summary: "Hold back work that waits: all, a class, a model, or a model in a class",
    body: pauseWish,
    isBodyOptional: true,
    answers: { 200: { description: "It is on the disk", schema: pausesView } },
  },
  {
    method: "post",
    path: "/foreman/resume",
    summary: "Let paused work run: all of it, or what is within the class or model named",
    body: pauseWish,
    isBodyOptional: true,
    answers: { 200: { description: "It is on the disk", schema: pausesView } },
  },
  {
    method: "post",
    path: "/foreman/drain",
    summary: "Take no new queued work, or take it again; what runs and waits goes on",
    body: drainWish,
    answers: { 200: { description: "From now on", schema: drainView } },
  },
  {
    method: "put",
    path: "/foreman/slots",
    summary: "How many generations may run at once, until the next start",
    body: slotsWish,
    answers: { 200: { description: "From now on", schema: slotsView } },
  },
  {
    method: "post",
    path: "/foreman/models/load",
    summary: "Load a model when its turn comes",
    body: loadWish,
    answers: {
      202: { description: "It waits as a job", schema: loadView },
      404: { description: "Ollama has no such model", schema: plainError },
    },
  },
  {
    method: "post",
    path: "/foreman/models/unload",
    summary: "Have Ollama let go of a model, once what runs on it has ended",
    body: unloadWish,
    answers: {
      200: { description: "Ollama was told", schema: unloadView },
      404: { description: "Ollama has no such model", schema: plainError },
    },
  },
  {
    method: "get",
    path: "/foreman/events",
    summary: "The status as server-sent events: at once, and when it has changed",
    answers: {
      200: {
        description: "Events of the type status, at most one a second",
        schema: statusDocument,
        mediaType: "text/event-stream",
      },
    },
  },
  {
    method: "get",
    path: "/foreman/history",
    summary: "The last hour by the minute, or the last day by ten minutes",
    query: historyQuery,
    answers: { 200: { description: "Oldest first, kept over restarts", schema: historyDocument } },
  },
  {
    method: "get",
    path: "/foreman/changes",
    summary: "What operators did, when, and who it was",
    answers: { 200: { description: "The last 200, newest first", schema: controlChanges } },
  },
];
