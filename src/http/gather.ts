import { ForemanError } from "../errors.ts";
import type { Call } from "./call.ts";

/** A client that sends nothing for so long in the middle of its body is gone. */
export const bodyIdleMsMax = 60_000;

type GatherOptions = {
  readonly bytesMax: number;
  /** What bounds it, in words; by default the setting that does. */
  readonly limit?: string;
  /** Sees each piece as it arrives, so that a large body is never scanned in one go. */
  readonly onPiece?: (piece: Buffer) => unknown;
};

/**
 * Reads a request's body whole, as it came.
 *
 * @throws ForemanError `body_too_large` at the first byte past the bound, or at once if the client
 * announced more; `queue_full` when the bodies of all requests would take too much memory;
 * `bad_request` when the client broke off.
 */
export function gather(
  { hold, incoming }: Pick<Call, "hold" | "incoming">,
  { bytesMax, limit = "FOREMAN_BODY_MAX", onPiece }: GatherOptions,
): Promise<Buffer> {
  const announcedBytes = Number(incoming.headers["content-length"] ?? 0);
  return new Promise((resolve, reject) => {
    if (announcedBytes > bytesMax) throw tooLarge(limit, bytesMax);
    hold(announcedBytes);
    const pieces: Buffer[] = [];
    let gatheredBytes = 0;
    const take = (piece: Buffer) => {
      try {
        gatheredBytes += piece.length;
        if (gatheredBytes > bytesMax) throw tooLarge(limit, bytesMax);
        if (gatheredBytes > announcedBytes) hold(piece.length);
        pieces.push(piece);
        onPiece?.(piece);
      } catch (cause) {
        stop();
        reject(cause);
      }
    };
    const stop = () => {
      incoming.off("data", take);
      incoming.setTimeout(0);
      // The listeners outlive the call; the bytes must not be held twice.
      pieces.length = 0;
    };
    incoming.setTimeout(bodyIdleMsMax);
    incoming.on("data", take);
    incoming.on("end", () => {
      const body = joined(pieces);
      stop();
      resolve(body);
    });
    incoming.on("error", (cause) => {
      stop();
      reject(new ForemanError("bad_request", "the request broke off in its body", { cause }));
    });
  });
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
}

function tooLarge(limit: string, bytesMax: number): ForemanError {
  const message = `the request's body is larger than ${limit} (${bytesMax} bytes)`;
  return new ForemanError("body_too_large", message);
}
