import type { Clock } from "../clock.ts";
import { collect } from "./collect.ts";
import { headerValue } from "./hop-headers.ts";
import type { Inventory, PolledRoute } from "./inventory.ts";
import type { Target } from "./target.ts";

/** A healthy Ollama answers these from memory; one that takes longer counts as not answering. */
const pollTimeoutMs = 10_000;

/** A list of ten thousand models is 5 MB. */
const pollBytesMax = 16 * 2 ** 20;

/** Why a poll brought nothing new. */
export type PollProblem = {
  readonly message: string;
  /** Whether the target answered at all, be it nonsense. */
  readonly isAnswer: boolean;
  /** Whether there was nobody to ask. */
  readonly isRefusal: boolean;
};

type PollOptions = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** Asks the target for one polled route and hands the reply to the inventory. Never rejects. */
export async function pollRoute(
  route: PolledRoute,
  { clock, inventory, signal, target }: PollOptions,
): Promise<PollProblem | null> {
  const answer = await collect(
    target,
    { method: "GET", path: route, rawHeaders: [], body: null },
    { bodyBytesMax: pollBytesMax, signal, limit: { clock, ms: pollTimeoutMs } },
  );
  switch (answer.kind) {
    case "failed": {
      const { kind, message } = answer.failure;
      const isRefusal = kind === "unreachable";
      return { message: `${route}: ${message}`, isAnswer: false, isRefusal };
    }
    case "too-large":
      return nonsense(`${route}: more than ${pollBytesMax} bytes`);
    case "answer": {
      const { rawHeaders, statusCode } = answer.head;
      // An Ollama from before /v1/models lacks it, which is no illness.
      if (statusCode === 404 && route === "/v1/models") return null;
      if (statusCode !== 200) return nonsense(`${route}: status ${statusCode}`);
      const contentType = headerValue(rawHeaders, "content-type") ?? "application/json";
      const problem = inventory.accept(route, { contentType, body: answer.body });
      return problem === null ? null : nonsense(problem);
    }
  }
}

function nonsense(message: string): PollProblem {
  return { message, isAnswer: true, isRefusal: false };
}
