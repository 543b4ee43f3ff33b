import type { Clock, Timer } from "../clock.ts";
import type { Target, TargetFailure, TargetHead, TargetRequest } from "./target.ts";

/** A small answer, whole. */
export type Collected =
  | { readonly kind: "answer"; readonly head: TargetHead; readonly body: Buffer }
  | { readonly kind: "failed"; readonly failure: TargetFailure }
  | { readonly kind: "too-large" };

type CollectOptions = {
  /** Past this the exchange is aborted: what polls the target must not be filled by it. */
  readonly bodyBytesMax: number;
  readonly signal?: AbortSignal;
  /** By then the whole answer must have come; else it is a `failed` that says so. */
  readonly limit?: { readonly clock: Clock; readonly ms: number };
};

/** Sends a request and gathers its whole answer. Never rejects; an abort is a `failed`. */
export function collect(
  target: Target,
  request: TargetRequest,
  { bodyBytesMax, limit, signal }: CollectOptions,
): Promise<Collected> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let head: TargetHead | null = null;
    let bodyBytes = 0;
    let isOver = false;
    let isLate = false;
    let timer: Timer | null = null;
    const finish = () => {
      isOver = true;
      timer?.cancel();
      signal?.removeEventListener("abort", cut);
    };
    const exchange = target.send(request, {
      head: (received) => {
        head = received;
      },
      chunk: (bytes) => {
        bodyBytes += bytes.length;
        pieces.push(bytes);
        if (bodyBytes <= bodyBytesMax) return;
        resolve({ kind: "too-large" });
        exchange.abort();
      },
      end: () => {
        finish();
        if (head) resolve({ kind: "answer", head, body: Buffer.concat(pieces) });
      },
      failed: (failure) => {
        finish();
        const message = isLate ? `no answer within ${(limit?.ms ?? 0) / 1_000} s` : failure.message;
        resolve({ kind: "failed", failure: { ...failure, message } });
      },
    });
    function cut(): void {
      exchange.abort();
    }
    if (isOver) return;
    if (signal?.aborted) {
      cut();
      return;
    }
    signal?.addEventListener("abort", cut);
    if (limit === undefined) return;
    timer = limit.clock.after(limit.ms, () => {
      isLate = true;
      cut();
    });
  });
}
