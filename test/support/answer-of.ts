import { RawClient } from "./raw-client.ts";
import { parseWireAnswer, type WireAnswer } from "./wire-answer.ts";

/** Posts JSON over a connection of its own, which ends with the answer that this resolves to. */
export async function answerOf(
  port: number,
  path: string,
  body: unknown,
  withinMs = 10_000,
): Promise<WireAnswer> {
  const client = new RawClient(port).post(path, body, ["Connection: close"]);
  await client.over(withinMs);
  client.leave();
  return parseWireAnswer(client.text);
}
