import type { IncomingMessage } from "node:http";
import { ForemanError } from "../errors.ts";

type GatherOptions = {
  readonly bytesMax: number;
  /** Sees each piece as it arrives, so that a large body is never scanned in one go. */
  readonly onPiece?: (piece: Buffer) => unknown;
};

/**
 * Reads a request's body whole, as it came.
 *
 * @throws ForemanError `body_too_large` at the first byte past the bound, or at once if the client
 * announced more; `bad_request` when the client broke off.
 */
export function gather(incoming: IncomingMessage, options: GatherOptions): Promise<Buffer> {
  const { bytesMax, onPiece } = options;
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let gatheredBytes = 0;
    incoming.on("data", (piece: Buffer) => {
      gatheredBytes += piece.length;
      if (gatheredBytes > bytesMax) {
        incoming.pause();
        reject(tooLarge(bytesMax));
        return;
      }
      pieces.push(piece);
      onPiece?.(piece);
    });
    incoming.on("end", () => resolve(pieces.length === 1 ? only(pieces) : Buffer.concat(pieces)));
    incoming.on("error", (cause) => {
      reject(new ForemanError("bad_request", "the request broke off in its body", { cause }));
    });
  });
}

function only([piece]: readonly Buffer[]): Buffer {
  return piece ?? Buffer.alloc(0);
}

function tooLarge(bytesMax: number): ForemanError {
  return new ForemanError(
    "body_too_large",
    `the request's body is larger than FOREMAN_BODY_MAX (${bytesMax} bytes)`,
  );
}
