import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import busboy from "busboy";
import { ForemanError } from "../errors.ts";
import { JsonPeek } from "../wire/json-peek.ts";
import { type PeekedRequest, peekPlan, peekRequest } from "../wire/peek-request.ts";
import type { RequestKind } from "../wire/request-fields.ts";
import type { Refusal } from "../wire/request-refusals.ts";
import type { Call } from "./call.ts";
import { gather } from "./gather.ts";

/** Ollama's own bound on a decompressed zstd body (middleware, v0.33). */
const zstdBytesMax = 20 * 2 ** 20;

/** A form's text fields are names and flags; the audio itself is not looked at. */
const formFieldBytesMax = 64 * 2 ** 10;

/** Ollama's form has seven fields; a hundred thousand would only keep the event loop busy. */
const formPartsMax = 100;

export type QueuedBody = {
  /** As received. */
  readonly body: Buffer;
  /** Hex sha256 of the body. */
  readonly bodyHash: string;
  readonly peeked: PeekedRequest | Refusal;
  /**
   * Where a member may be spliced into the body: just after its `{`; null if it is no plain JSON.
   */
  readonly contentOffset: number | null;
  readonly isEmptyObject: boolean;
};

/**
 * Reads a generation request: its bytes, untouched, and what foreman needs to know of them.
 *
 * @throws ForemanError `body_too_large` or `bad_request`, as `gather`
 */
export async function readQueued(
  call: Call,
  kind: RequestKind,
  bytesMax: number,
): Promise<QueuedBody> {
  const peek = new JsonPeek(peekPlan(kind));
  const hash = createHash("sha256");
  const { incoming, path } = call;
  const isZstd = incoming.headers["content-encoding"] === "zstd" && path.startsWith("/v1/");
  const body = await gather(call, {
    bytesMax,
    onPiece: (piece) => {
      hash.update(piece);
      if (!isZstd) peek.write(piece);
    },
  });
  const fault = isZstd ? await peekDecompressed(body, peek) : null;
  const result = peek.end();
  const object = result.kind === "value" && !isZstd ? result.object : null;
  return {
    body,
    bodyHash: hash.digest("hex"),
    peeked: fault ?? peekRequest(kind, result),
    contentOffset: object?.contentOffset ?? null,
    isEmptyObject: object?.isEmpty ?? false,
  };
}

/**
 * Peeks into a zstd body, one frame after another. Answers what Ollama's decoder has against it, in
 * its words as far as the two decoders find the same fault; null for a sound body.
 */
async function peekDecompressed(body: Buffer, peek: JsonPeek): Promise<Refusal | null> {
  let decompressedBytes = 0;
  for (let rest = body; rest.length > 0; ) {
    const decompressor = createZstdDecompress();
    try {
      await pipeline(Readable.from([rest]), decompressor, async (pieces) => {
        for await (const piece of pieces) {
          decompressedBytes += piece.length;
          if (decompressedBytes > zstdBytesMax) throw tooLarge;
          peek.write(piece);
        }
      });
    } catch (cause) {
      const message = cause instanceof Error ? zstdFault(cause) : String(cause);
      return { kind: "refusal", statusCode: 400, message, writtenBy: "decompressor" };
    }
    rest = rest.subarray(decompressor.bytesWritten);
  }
  return null;
}

const tooLarge = new Error("http: request body too large");

/** The words of klauspost/compress/zstd for what Node's decoder reports; tried on Ollama 0.33. */
function zstdFault(cause: Error): string {
  switch ("code" in cause ? cause.code : null) {
    case "ZSTD_error_prefix_unknown":
      return "invalid input: magic number mismatch";
    case "ZSTD_error_checksum_wrong":
      return "CRC check failed";
    case "Z_BUF_ERROR":
      return "unexpected EOF";
    default:
      return cause.message;
  }
}

export type QueuedForm = {
  readonly body: Buffer;
  readonly bodyHash: string;
  readonly model: string;
};

/**
 * Reads a multipart generation request (audio), whose model is a form field.
 *
 * @throws ForemanError `body_too_large` or `bad_request`
 */
export async function readQueuedForm(call: Call, bytesMax: number): Promise<QueuedForm> {
  const hash = createHash("sha256");
  const form = new ModelField(call.incoming.headers);
  const body = await gather(call, {
    bytesMax,
    onPiece: (piece) => {
      hash.update(piece);
      form.write(piece);
    },
  });
  return { body, bodyHash: hash.digest("hex"), model: await form.end() };
}

/** Finds the field `model` in a multipart form while the form arrives. */
class ModelField {
  readonly #form: busboy.Busboy;
  readonly #found = Promise.withResolvers<string>();
  #model = "";

  /** @throws ForemanError `bad_request` if the headers announce no form */
  constructor(headers: IncomingMessage["headers"]) {
    try {
      this.#form = busboy({
        headers,
        limits: { fieldSize: formFieldBytesMax, parts: formPartsMax },
      });
    } catch (cause) {
      throw notAForm(cause);
    }
    this.#form.on("field", (name, value) => {
      if (name === "model") this.#model = value;
    });
    this.#form.on("file", (_name, file) => file.resume());
    this.#form.on("error", (cause) => this.#found.reject(notAForm(cause)));
    this.#form.on("close", () => this.#found.resolve(this.#model));
    // Whoever broke off before the end never asks.
    this.#found.promise.catch(() => {});
  }

  write(piece: Buffer): void {
    if (this.#form.writable) this.#form.write(piece);
  }

  /** The field's value; empty if there is none. */
  end(): Promise<string> {
    this.#form.end();
    return this.#found.promise;
  }
}

function notAForm(cause: unknown): ForemanError {
  return new ForemanError("bad_request", "the body is not a multipart form", { cause });
}
