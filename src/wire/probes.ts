import { z } from "zod";

const iso = z.iso.datetime();

/** `GET /livez`. */
export const liveness = z.object({ status: z.literal("ok") }).meta({ id: "Liveness" });

/** `GET /readyz`. */
export const readiness = z
  .object({ status: z.enum(["ready", "not ready"]), reason: z.string().optional() })
  .meta({ id: "Readiness" });

/** `GET /healthz`. */
export const healthDocument = z
  .object({
    status: z.enum(["ok", "failing"]),
    problem: z.string().optional(),
    degraded: z.boolean(),
    degraded_since: iso.nullable(),
    phase: z.enum(["starting", "serving", "draining", "stopped"]),
    version: z.string(),
    uptime_s: z.int().min(0),
    target: z.object({
      presence: z.enum(["present", "doubted", "away", "returning"]),
      version: z.string().nullable(),
      last_poll_at: iso.nullable(),
      last_error: z.string().nullable(),
      stalled: z.int().min(0).meta({
        description: "Generations in a row that hung and were cut; 0 once one came to its end",
      }),
    }),
    queue: z.object({ waiting: z.int().min(0), running: z.int().min(0) }),
    store: z.object({
      commit_ms: z.number().nullable(),
      free_bytes: z.number().min(0).nullable(),
      wal_bytes: z.int().min(0).nullable(),
      integrity: z.enum(["ok", "checking", "damaged", "unchecked"]),
    }),
  })
  .meta({ id: "Health" });

/** `GET /health`, in the words of Velocity's backend; the others than its example's are ours. */
export const healthSummary = z
  .object({
    status: z.enum(["ok", "degraded", "failing"]).meta({
      description: "degraded: work waits for Ollama; failing: foreman cannot do its part",
    }),
    database: z.enum(["connected", "failing"]),
    ollama: z.enum(["available", "unavailable"]),
    gpu: z.enum(["present", "absent", "unknown"]).meta({
      description: "unknown: Ollama is on another machine, or nvidia-smi is not here or fails",
    }),
  })
  .meta({ id: "HealthSummary" });

export type HealthSummary = z.output<typeof healthSummary>;

/** What `/healthz` may be asked. */
export const healthQuery = z.object({
  require: z
    .literal("target")
    .optional()
    .meta({ description: "503 while the target is away, too" }),
});

export type HealthDocument = z.output<typeof healthDocument>;
