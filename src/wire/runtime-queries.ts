import { z } from "zod";
import { approvalStates, runtimeStatuses } from "./runtime-answers.ts";
import { runtimeLimits } from "./runtime-limits.ts";

/** Pages are walked by a key, never by an offset, so that none is skipped while items end. */
const paging = {
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: "`next` of the page before" }),
  limit: z.coerce.number().int().min(1).max(runtimeLimits.pageItems).default(100),
};

/** `GET /api/runtime/llm/jobs`: newest first. */
export const batchListQuery = z.object({
  status: z.enum(runtimeStatuses).optional(),
  client: z.string().optional(),
  ...paging,
});

/** `GET /api/runtime/llm/jobs/{job_id}/results`: in the order of the submission. */
export const resultsQuery = z.object({
  status: z.enum(runtimeStatuses).optional(),
  approval: z
    .enum(approvalStates)
    .optional()
    .meta({ description: "`approved` for what may be written back" }),
  ...paging,
});
