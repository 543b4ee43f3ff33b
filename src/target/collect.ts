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
};

/** Sends a request and gathers its whole answer. Never rejects; an abort is a `failed`. */
export function collect(
  target: Target,
  request: TargetRequest,
  { bodyBytesMax, signal }: CollectOptions,
): Promise<Collected> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let head: TargetHead | null = null;
    let bodyBytes = 0;
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
        signal?.removeEventListener("abort", cut);
        if (head) resolve({ kind: "answer", head, body: Buffer.concat(pieces) });
      },
      failed: (failure) => {
        signal?.removeEventListener("abort", cut);
        resolve({ kind: "failed", failure });
      },
    });
    function cut(): void {
      exchange.abort();
    }
    if (signal?.aborted) cut();
    else signal?.addEventListener("abort", cut);
  });
}
