import { z } from "zod";

/**
 * What foreman reads of the answers of a hosted endpoint that speaks OpenAI's API. Loose, since
 * every such server adds something of its own.
 */

const count = z.number().nullish().catch(null);

export const chatCompletion = z.looseObject({
  model: z.string().nullish().catch(null),
  choices: z
    .array(
      z.looseObject({
        message: z.looseObject({ content: z.string().nullish() }),
        finish_reason: z.string().nullish().catch(null),
      }),
    )
    .min(1),
  usage: z.looseObject({ prompt_tokens: count, completion_tokens: count }).nullish().catch(null),
});

export const modelList = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });
