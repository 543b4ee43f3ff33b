import { zstdDecompressSync } from "node:zlib";
import { decodeGoJson, type GoDecoded } from "./go-decode.ts";

/** A request's body, decoded at most once however many look into it. */
export class Payload {
  readonly bytes: Buffer;
  #decoded: GoDecoded | null = null;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get decoded(): GoDecoded {
    this.#decoded ??= decodeGoJson(this.bytes);
    return this.#decoded;
  }

  /** The model that the body names, however it is spelled; null when it names none. */
  get model(): string | null {
    if (this.bytes[0] !== 0x7b || this.decoded.kind === "error") return null;
    const { model, name, source } = this.decoded.value as Readonly<Record<string, unknown>>;
    const named = [model, name, source].find((each) => typeof each === "string" && each !== "");
    return typeof named === "string" ? named : null;
  }
}

const inflatedBytesMax = 20 << 20;

/** The body as the handler reads it: zstd is undone on /v1, and nothing else anywhere. */
export function inflate(bytes: Buffer, route: string, encoding: string | undefined): Buffer | null {
  if (encoding !== "zstd" || !route.startsWith("/v1/")) return bytes;
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: inflatedBytesMax });
  } catch {
    return null;
  }
}
