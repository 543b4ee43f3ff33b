import { z } from "zod";

const count = z.int().min(0);
const ms = z.number().min(0);

export const historyQuery = z.object({ span: z.enum(["hour", "day"]).default("hour") });

const sample = z.object({
  at: z.iso.datetime().meta({ description: "When the step began" }),
  jobs_done: count,
  jobs_failed: count,
  tokens: count.meta({ description: "Written by the target in answers that ended in the step" }),
  wait_p50_ms: ms
    .nullable()
    .meta({ description: "Of jobs that ended after a run; null if none did" }),
  wait_p95_ms: ms.nullable(),
  gpu_busy_share: z.number().min(0).max(1).meta({ description: "Of the time, something ran" }),
  swaps: count,
  queued: count.meta({ description: "At the end of the step" }),
  unfed: count.meta({
    description: "Items of batches that wait beside those queued, at the end of the step",
  }),
  running: count.meta({ description: "At the end of the step" }),
});

/** `GET /foreman/history`: oldest first; the last sample is still growing. */
export const historyDocument = z
  .object({
    span: z.enum(["hour", "day"]),
    step_seconds: z.int().min(1),
    samples: z.array(sample),
  })
  .meta({ id: "History" });

export type HistoryDocument = z.output<typeof historyDocument>;
export type HistorySample = z.output<typeof sample>;
