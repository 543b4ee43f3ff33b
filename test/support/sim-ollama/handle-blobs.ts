import { createHash } from "node:crypto";
import { goQuote } from "./go-text.ts";
import type { Call } from "./sim-core.ts";

const digestPattern = /^sha256[:-][0-9a-fA-F]{64}$/;

/** HEAD /api/blobs/{digest}. */
export function handleBlobHead({ sim, exchange }: Call) {
  const digest = exchange.parameter;
  if (!digestPattern.test(digest)) return exchange.reply.json(400, { error: badDigest });
  if (sim.library.hasBlob(digest)) return exchange.reply.empty(200);
  exchange.reply.json(404, { error: `blob ${goQuote(digest)} not found` });
}

/**
 * POST /api/blobs/{digest}: reads the body as it comes, keeps its hash and nothing else. The body
 * is not read at all when the blob is there already.
 */
export async function handleBlobUpload({ sim, exchange }: Call): Promise<void> {
  const digest = exchange.parameter;
  if (!digestPattern.test(digest)) return exchange.reply.json(400, { error: badDigest });
  if (sim.library.hasBlob(digest)) return exchange.reply.empty(200);
  const hash = createHash("sha256");
  try {
    for await (const piece of exchange.request) hash.update(piece as Buffer);
  } catch {
    return exchange.leave();
  }
  const actual = `sha256:${hash.digest("hex")}`;
  if (actual !== digest) {
    const named = `expected ${goQuote(digest)}, got ${goQuote(actual)}`;
    return exchange.reply.json(400, { error: `digest mismatch, ${named}` });
  }
  sim.library.addBlob(actual);
  exchange.reply.empty(201);
}

const badDigest = "invalid digest format";
