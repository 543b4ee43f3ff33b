import { createHash } from "node:crypto";
import { type JobWishes, jobPlan, readJobWishes } from "../../wire/job-wishes.ts";
import { JsonPeek } from "../../wire/json-peek.ts";
import { type PeekedRequest, peekPlan, peekRequest } from "../../wire/peek-request.ts";
import type { Refusal } from "../../wire/request-refusals.ts";
import type { Call } from "../call.ts";
import { gather } from "../gather.ts";

export type JobBody = {
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly route: "/api/chat" | "/api/generate";
  readonly peeked: PeekedRequest | Refusal;
  readonly wishes: JobWishes;
};

/**
 * Reads the body of a submitted job: a native chat or generate request, as it is sent to the
 * target, with foreman's own members beside it, which Ollama passes over.
 *
 * @throws ForemanError as `gather`
 */
export async function readJob(call: Call, bytesMax: number): Promise<JobBody> {
  const hash = createHash("sha256");
  const chat = new JsonPeek(peekPlan("chat"));
  const generate = new JsonPeek(peekPlan("generate"));
  const own = new JsonPeek(jobPlan);
  const body = await gather(call, {
    bytesMax,
    onPiece: (piece) => {
      hash.update(piece);
      for (const peek of [chat, generate, own]) peek.write(piece);
    },
  });
  const wishes = readJobWishes(own.end());
  const kind = wishes.isChat ? "chat" : "generate";
  const peeked = peekRequest(kind, (kind === "chat" ? chat : generate).end());
  return { body, bodyHash: hash.digest("hex"), route: `/api/${kind}`, peeked, wishes };
}
