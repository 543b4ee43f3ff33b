import { z } from "zod";

const ms = z.number().min(0);
const depth = z.int().min(0);

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
    running: z.array(
      z.object({
        job_id: z.string(),
        model: z.string(),
        priority: z.string(),
        client: z.string(),
        ran_ms: ms,
        attempts: depth,
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
        }),
      )
      .meta({ description: "One line for each model, priority and client that waits" }),
    loads: z
      .array(z.object({ model: z.string(), load_ms: ms }))
      .meta({ description: "How long the target takes to load a model, as measured" }),
  })
  .meta({ id: "Status" });

export type Status = z.output<typeof statusDocument>;
