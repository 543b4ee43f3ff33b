import { z } from "zod";
import { providerIds } from "./provider-id.ts";

// What an operator sends to change the order of the providers, or to switch one off.

/** Each change is kept, with all that it names. */
const modelsMax = 50;

const note = z.string().max(500).nullish().meta({ description: "Why, for whoever reads it later" });

/** `PUT /api/runtime/llm/providers/order`: each provider once, the first to be asked first. */
export const providerOrder = z.object({
  order: z
    .array(z.enum(providerIds))
    .superRefine((order, context) => {
      const missing = providerIds.filter((id) => !order.includes(id));
      if (missing.length > 0) context.addIssue(`the order lacks ${missing.join(", ")}`);
      const repeated = order.filter((id, i) => order.indexOf(id) !== i);
      if (repeated.length > 0) context.addIssue(`the order names ${repeated.join(", ")} twice`);
    })
    .nullable()
    .meta({ description: "null gives the order back to the routing rule" }),
  note,
});

/** `PATCH /api/runtime/llm/providers/{id}`: what is named changes, the rest stays. */
export const providerPatch = z
  .object({
    enabled: z.boolean().optional(),
    models: z
      .record(z.string().min(1).max(200), z.boolean())
      .refine((models) => Object.keys(models).length <= modelsMax, {
        error: `at most ${modelsMax} models are switched at once`,
      })
      .optional()
      .meta({ description: "Switches models of the provider on or off, by name" }),
    note,
  })
  .refine(({ enabled, models = {} }) => enabled !== undefined || Object.keys(models).length > 0, {
    error: "nothing is changed: give enabled or models",
  });
