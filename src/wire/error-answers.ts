import { z } from "zod";

/** Of foreman's own routes, as Ollama tells errors. */
export const plainError = z
  .object({ error: z.string().meta({ description: "What is wrong and what to do" }) })
  .meta({ id: "Error" });

/** Below `/api/runtime/`, as FastAPI tells errors. */
export const codedError = z
  .object({
    detail: z.string().meta({ description: "What is wrong and what to do" }),
    code: z.string().meta({ description: "In a word, for programs; docs/api.md has the list" }),
  })
  .meta({ id: "CodedError" });

/** The same for a malformed request: 422. */
export const validationError = z
  .object({
    detail: z.array(
      z.object({
        loc: z.array(z.union([z.string(), z.int()])),
        msg: z.string(),
        type: z.string(),
      }),
    ),
  })
  .meta({ id: "ValidationError" });
