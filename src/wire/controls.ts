import { z } from "zod";

// What an operator asks of a running foreman, and what it answers. Times are ISO 8601 in UTC.

const iso = z.iso.datetime();
const count = z.int().min(0);
const jobClass = z.enum(["interactive", "batch"]);
const model = z.string().trim().min(1).max(512);
const note = z.string().max(500).optional();

const slotsMax = 16;

/** `POST /foreman/pause` and `/foreman/resume`; neither class nor model means all work. */
export const pauseWish = z
  .strictObject({ class: jobClass.optional(), model: model.optional(), note })
  .meta({ id: "PauseWish" });

/** Work that is paused: of a class, of a model, of a model in a class, or all of it. */
export const pauseView = z
  .object({
    class: jobClass.nullable().meta({ description: "Null: of both classes" }),
    model: z.string().nullable().meta({ description: "Null: of every model" }),
    since: iso,
    by: z.string().meta({ description: "The client that paused it" }),
    note: z.string().nullable(),
  })
  .meta({ id: "Pause" });

/** What both routes answer. */
export const pausesView = z
  .object({ paused: z.array(pauseView).meta({ description: "All that is paused now" }) })
  .meta({ id: "Pauses" });

/** `POST /foreman/drain`. */
export const drainWish = z.strictObject({ on: z.boolean(), note }).meta({ id: "DrainWish" });

/** An operator's drain. */
export const closingView = z
  .object({
    since: iso,
    by: z.string().meta({ description: "The client that asked for it" }),
    note: z.string().nullable(),
  })
  .meta({ id: "Closing" });

export const drainView = z
  .object({
    draining: z.boolean().meta({ description: "True: no new queued work is taken" }),
    drain: closingView.nullable(),
    waiting: count,
    running: count,
  })
  .meta({ id: "Drain" });

/** `POST /foreman/models/load`. */
export const loadWish = z
  .strictObject({
    model,
    keep_alive: z
      .union([z.string().max(64), z.number()])
      .optional()
      .meta({ description: "As Ollama reads it; left out, its own default" }),
  })
  .meta({ id: "LoadWish" });

/** Its answer: the load waits its turn as a job of `/jobs`. */
export const loadView = z.object({ job_id: z.string() }).meta({ id: "LoadJob" });

/** `POST /foreman/models/unload`. */
export const unloadWish = z.strictObject({ model }).meta({ id: "UnloadWish" });

export const unloadView = z
  .object({ model: z.string(), unloaded: z.literal(true) })
  .meta({ id: "Unload", description: "Ollama lets go of it when what runs on it has ended" });

/** `PUT /foreman/slots`. */
export const slotsWish = z
  .strictObject({ slots: z.int().min(1).max(slotsMax), note })
  .meta({ id: "SlotsWish" });

export const slotsView = z
  .object({
    slots: count,
    setting: count.meta({ description: "FOREMAN_CHAT_SLOTS, in force after a restart" }),
  })
  .meta({ id: "Slots" });

/** One thing that an operator did. */
export const controlChange = z.object({
  at: iso,
  by: z.string().meta({ description: "The client that asked for it" }),
  action: z.enum(["pause", "resume", "drain", "load", "unload", "slots"]),
  class: jobClass.nullable(),
  model: z.string().nullable(),
  slots: count.nullable(),
  on: z.boolean().nullable().meta({ description: "Of a drain" }),
  note: z.string().nullable(),
});

/** `GET /foreman/changes`: newest first. */
export const controlChanges = z
  .object({ changes: z.array(controlChange) })
  .meta({ id: "ControlChanges" });

export type ControlChange = z.output<typeof controlChange>;
