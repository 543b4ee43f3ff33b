import { z } from "zod";

/**
 * What foreman decides on in the target's replies, and nothing more: the bytes that clients get are
 * the target's own. Loose, so that a newer Ollama may say more.
 */
const details = z.looseObject({ family: z.string().optional() });

export const tagsReply = z.looseObject({
  models: z
    .array(
      z.looseObject({
        name: z.string(),
        digest: z.string().default(""),
        modified_at: z.string().nullish().catch(null),
        size: z.number().default(0),
        details: details.nullish(),
        capabilities: z.array(z.string()).nullish(),
        remote_host: z.string().nullish(),
      }),
    )
    .nullable()
    .transform((models) => models ?? []),
});

export const psReply = z.looseObject({
  models: z
    .array(
      z.looseObject({
        name: z.string(),
        digest: z.string().default(""),
        size_vram: z.number().default(0),
        expires_at: z.string().default(""),
        context_length: z.number().default(0),
      }),
    )
    .nullable()
    .transform((models) => models ?? []),
});

export const showReply = z.looseObject({
  modelfile: z.string(),
  parameters: z.string().nullish(),
  modified_at: z.string().nullish().catch(null),
  details: details.extend({ families: z.array(z.string()).nullish() }).nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
  capabilities: z.array(z.string()).nullish(),
});

export const versionReply = z.looseObject({ version: z.string() });

/** One line of the answer of /api/pull and /api/create; in an error `status` is a number. */
export const progressLine = z.looseObject({
  status: z.string().catch(""),
  error: z.string().optional(),
  digest: z.string().optional(),
  total: z.number().catch(0),
  completed: z.number().catch(0),
});

export type TagsModel = z.output<typeof tagsReply>["models"][number];
export type ShowReply = z.output<typeof showReply>;
export type PsModel = z.output<typeof psReply>["models"][number];
