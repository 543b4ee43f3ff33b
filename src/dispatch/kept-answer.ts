import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync } from "node:zlib";
import type { Ending } from "../job.ts";
import { Recorder } from "../queue/recorder.ts";
import type { Waiter } from "../queue/waiters.ts";
import type { Answer } from "../store/store.ts";
import { headerValue } from "../target/hop-headers.ts";

/** Below this the frame around compressed bytes costs more than it saves. */
const compressedBytesMin = 512;

const compress = promisify(zstdCompress);

/** Up to here to hand it to another thread takes longer than the work: some 0.06 ms. */
const compressedHereBytesMax = 64 * 2 ** 10;

/** Null without the memory for it: the answer matters more than the room that it takes. */
async function compressOrNot(body: Buffer): Promise<Buffer | null> {
  try {
    return body.length > compressedHereBytesMax ? await compress(body) : zstdCompressSync(body);
  } catch {
    return null;
  }
}

/**
 * The answer of a durable job as it is kept, compressed (a stream of NDJSON shrinks twentyfold), a
 * large one off the main thread, and the ending that goes with it: an answer too large to keep is
 * a failure. Half an answer is not kept. Never rejects.
 */
export async function keptAnswer(
  waiter: Waiter,
  ending: Ending,
): Promise<{ readonly answer: Answer | null; readonly ending: Ending }> {
  const isWhole = ending.state === "done" || (ending.statusCode ?? 0) >= 400;
  if (!(waiter instanceof Recorder) || !isWhole) return { answer: null, ending };
  if (waiter.isTooLarge) {
    const message = "the answer is larger than FOREMAN_ANSWER_MAX and was not kept";
    return {
      answer: null,
      ending: { ...ending, state: "failed", reason: "answer_too_large", message },
    };
  }
  const recording = waiter.answer;
  if (recording === null) return { answer: null, ending };
  const { body, head } = recording;
  const contentType = headerValue(head.rawHeaders, "content-type") ?? "application/json";
  const compressed = body.length < compressedBytesMin ? null : await compressOrNot(body);
  const kept = { body: compressed ?? body, isCompressed: compressed !== null };
  return { answer: { statusCode: head.statusCode, contentType, ...kept }, ending };
}
