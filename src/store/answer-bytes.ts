import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { Answer } from "./store.ts";

const decompress = promisify(zstdDecompress);

/** What the target sent, as it sent it. */
export async function answerBytes({ body, isCompressed }: Answer): Promise<Buffer> {
  return isCompressed ? await decompress(body) : Buffer.from(body);
}
