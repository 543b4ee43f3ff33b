import { runtimeLimits } from "../../wire/runtime-limits.ts";
import { CliFailure, exitCodes } from "../cli-failure.ts";
import { jsonOf } from "../json-of.ts";
import { linesOf } from "./lines.ts";

/**
 * The body of a batch, made of `head` and of items that come a line each, which is never in memory
 * whole. The items are passed on as they are written; foreman checks what they say.
 *
 * @throws CliFailure, out of the stream, for the first line that is no JSON object
 */
export async function* batchBody(
  head: Readonly<Record<string, unknown>>,
  items: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  let separator = "";
  for await (const { number, text } of readLines(items)) {
    if (!text.startsWith("{") || jsonOf(text) === undefined) {
      throw new CliFailure(
        exitCodes.badInput,
        `line ${number} is no JSON object; a line for each item is wanted (NDJSON), such as ` +
          '{"request_id":"1","messages":[{"role":"user","content":"…"}]}. Nothing was submitted',
      );
    }
    yield Buffer.from(separator + text);
    separator = ",\n";
  }
  yield Buffer.from("]}");
}

async function* readLines(items: AsyncIterable<Uint8Array | string>) {
  try {
    yield* linesOf(items, runtimeLimits.requestBytes);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(
      exitCodes.noInput,
      `the items cannot be read: ${words}. Nothing was submitted`,
      { cause },
    );
  }
}
