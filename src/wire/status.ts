import { z } from "zod";
import { closingView, pauseView } from "./controls.ts";

const ms = z.number().min(0);
const depth = z.int().min(0);

const webhooks = z
  .object({
    left: depth,
    oldest_at: z.string().nullable().meta({ description: "When the oldest of it happened" }),
    failing: z
      .array(z.object({ receiver: z.string(), failures: depth, last_error: z.string() }))
      .meta({ description: "Receivers whose last try failed" }),
  })
  .meta({ description: "What is still to be told to webhooks" });

const swap = z.object({
  at: z.string().meta({ description: "When the job was sent that needed it" }),
  from: z
    .string()
    .nullable()
    .meta({ description: "Who had answered before; the same model if only its options differ" }),
  to: z.string(),
  cause: z.enum(["model", "options", "gone"]).meta({
    description:
      "Another model had answered before; the same one with other load options; or it was no " +
      "longer loaded",
  }),
  from_options: z.string().nullable().meta({ description: "As they took effect; empty for none" }),
  to_options: z.string().meta({ description: "The same of the one that was loaded" }),
  client: z.string().meta({ description: "Whose job needed it" }),
  load_ms: ms.nullable().meta({ description: "Null where it was not told" }),
});

const swaps = z
  .object({
    runs: depth,
    count: depth.meta({ description: "Runs that had their model loaded first" }),
    load_ms: ms.meta({ description: "Of all loads whose time the target told" }),
    untold: depth.meta({ description: "Loads whose time it did not tell, as on /v1" }),
    for_options: depth.meta({
      description: "Loads of the model that was loaded, because a request had other load options",
    }),
    recent: z.array(swap).meta({ description: "The last 20, newest first" }),
  })
  .meta({ description: "What swapping models has cost since foreman started" });

const waits = z.object({
  p50_ms: ms.nullable().meta({ description: "Within 6 %; null if no job ran" }),
  p95_ms: ms.nullable(),
});

const batches = z
  .object({
    open: depth.meta({ description: "Batches that have items which have not ended" }),
    unfed: depth.meta({
      description: "Their items that wait in the store, beside those in `waiting`",
    }),
  })
  .meta({ description: "A batch joins the queue by a window of some items at a time" });

const today = z
  .object({
    since: z.iso.datetime(),
    jobs: z.object({ done: depth, failed: depth, cancelled: depth }),
    items: z
      .object({ completed: depth, failed: depth, cancelled: depth })
      .meta({ description: "Of batches, whoever answered them; each may also have had jobs" }),
    chats: z.object({ answered: depth, failed: depth }).meta({
      description: "Of the runtime-LLM API, whoever was asked; each may also have had jobs",
    }),
    tokens: depth.meta({ description: "Written by the target" }),
    waits: z.object({ interactive: waits, batch: waits }),
    swaps: depth,
    swaps_spared: z.int().meta({
      description:
        "How many more the order of arrival would have made for the jobs that ran, with the same " +
        "room; negative where it would have made fewer, since people go first",
    }),
  })
  .meta({ description: "The last 24 hours, over restarts" });

const stalls = z
  .object({
    count: depth,
    in_a_row: depth.meta({ description: "With no generation in between that came to its end" }),
    last: z.object({ at: z.string(), job_id: z.string(), model: z.string() }).nullable(),
  })
  .meta({ description: "Generations that hung and were cut (FOREMAN_STALL_TIMEOUT)" });

const watched = z.object({
  model: z.string(),
  state: z.enum(["present", "missing", "returning"]),
  source: z
    .enum(["local", "s3", "pull"])
    .nullable()
    .meta({ description: "What it is being brought back from" }),
  step: z
    .enum(["reading", "uploading", "registering", "downloading", "pulling"])
    .nullable()
    .meta({ description: "What of that is under way" }),
  percent: z.int().min(0).max(100).nullable().meta({ description: "Of the step" }),
  failures: depth.meta({ description: "Attempts in vain since it was last there" }),
  problems: z.array(z.string()).meta({ description: "What each source said at the last of them" }),
  next_try_ms: ms.nullable().meta({ description: "It rests for so long" }),
  last_back: z
    .object({ at: z.string(), source: z.enum(["local", "s3", "pull"]), took_ms: ms })
    .nullable()
    .meta({ description: "When it was last brought back" }),
});

export type WatchedModel = z.output<typeof watched>;

/** `GET /foreman/status`: one document on what runs, who waits and why. Times in ms. */
export const statusDocument = z
  .object({
    target: z.object({
      presence: z.enum(["present", "doubted", "away", "returning"]),
      away_ms: ms.nullable().meta({ description: "Null while it is there" }),
      last_error: z.string().nullable(),
      version: z.string().nullable(),
      models: z.array(z.string()),
      loaded: z.array(
        z.object({ name: z.string(), size_vram: z.number(), expires_at: z.string() }),
      ),
    }),
    slots: depth.meta({ description: "How many generations may run at once" }),
    slots_setting: depth.meta({ description: "FOREMAN_CHAT_SLOTS, in force after a restart" }),
    paused: z.array(pauseView).meta({ description: "What operators hold back" }),
    draining: z
      .boolean()
      .meta({ description: "New queued work is refused: foreman goes, or an operator wants it" }),
    drain: closingView.nullable().meta({ description: "An operator's; null while there is none" }),
    running: z.array(
      z.object({
        job_id: z.string(),
        model: z.string(),
        priority: z.string(),
        client: z.string(),
        ran_ms: ms,
        attempts: depth,
        tokens: depth.nullable().meta({
          description: "Counted as they pass, so an estimate; null before the first and unstreamed",
        }),
        tokens_per_s: z
          .number()
          .min(0)
          .nullable()
          .meta({ description: "Since the first of them; null where that says nothing yet" }),
      }),
    ),
    waiting: z
      .array(
        z.object({
          model: z.string(),
          priority: z.string(),
          client: z.string(),
          durable: z.boolean(),
          depth,
          head_waited_ms: ms.nullable(),
          reason: z
            .string()
            .nullable()
            .meta({ description: "Why the first of them is not let through" }),
          eta_ms: ms
            .nullable()
            .meta({ description: "Until the first of them should start; null if unknown" }),
        }),
      )
      .meta({ description: "One line for each model, priority and client that waits" }),
    loads: z
      .array(z.object({ model: z.string(), load_ms: ms }))
      .meta({ description: "How long the target takes to load a model, as measured" }),
    batches,
    webhooks,
    swaps,
    today,
    stalls,
    watchdog: z.array(watched).meta({ description: "Each model of FOREMAN_REQUIRED_MODELS" }),
  })
  .meta({ id: "Status" });

export type Status = z.output<typeof statusDocument>;
