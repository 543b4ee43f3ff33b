import { posix } from "node:path";
import { z } from "zod";

const sha256 = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, { error: "is not 64 hex digits, as sha256sum prints them" });

/** One object of a bucket, such as s3://models/qwen/model.gguf. */
const artifact = z
  .strictObject({ url: z.string(), sha256: sha256.optional() })
  .transform(({ url, sha256 }, context) => {
    const [, bucket, key] = /^s3:\/\/([^/?#]+)\/([^?#]+)$/.exec(url) ?? [];
    const fileName = posix.basename(key ?? "");
    if (bucket !== undefined && key !== undefined && !/^\.*$/.test(fileName)) {
      return { url, bucket, key, fileName, sha256: sha256 ?? null };
    }
    context.addIssue(`"${url}" is not s3://bucket/key`);
    return z.NEVER;
  });

/** Where one required model can be had from; a model that is not named can only be pulled. */
const modelSources = z.strictObject({
  /** A GGUF file, or a folder with a Modelfile and its GGUF files. */
  local: z.string().min(1).optional(),
  s3: z.array(artifact).min(1).max(100).optional(),
  pull: z.boolean().default(true),
  /** Loaded before the backlog is released when the target returns. */
  pinned: z.boolean().default(false),
});

/** The file that `FOREMAN_MODELS_FILE` names. */
export const modelsFile = z.strictObject({ models: z.record(z.string(), modelSources) });

export type Artifact = z.output<typeof artifact>;

export type ModelSources = z.output<typeof modelSources>;
