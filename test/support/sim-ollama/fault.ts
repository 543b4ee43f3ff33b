/** A thing that goes wrong with one answer. All of it is plain JSON, for the control surface. */
export type Fault =
  /** The connection is reset (RST) or closed (FIN) before any byte of an answer. */
  | { readonly kind: "reset" | "close" }
  /** Nothing happens until the rule is released; then the request goes its usual way. */
  | { readonly kind: "stall" }
  | { readonly kind: "delay"; readonly ms: number }
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly statusText?: string;
      readonly headers?: readonly (readonly [string, string])[];
      readonly body?: string;
    }
  /** These bytes (latin1) instead of HTTP, and then the connection closes, resets or stays. */
  | { readonly kind: "raw"; readonly bytes: string; readonly ending: "close" | "reset" | "hold" }
  | WireFault
  | TokenFault
  /** The model does not load: 500 (or `status`) with this text, after its load time. */
  | { readonly kind: "load-failure"; readonly message: string; readonly status?: number };

/** The right answer, wrongly put on the wire. */
export type WireFault =
  | { readonly kind: "reset-after-bytes"; readonly bytes: number }
  | { readonly kind: "close-delimited" }
  /** Content-Length is wrong by `delta`; the connection closes after the body. */
  | { readonly kind: "content-length"; readonly delta: number }
  | { readonly kind: "extra-headers"; readonly headers: readonly (readonly [string, string])[] }
  | { readonly kind: "informational"; readonly status: 100 | 102 | 103; readonly count: number }
  | { readonly kind: "gzip" }
  | { readonly kind: "slow-body"; readonly pieceBytes: number; readonly pauseMs: number }
  | { readonly kind: "replace-body"; readonly body: string }
  | { readonly kind: "status"; readonly status: number; readonly statusText?: string };

/** Something that happens after so many tokens of a generation; other routes do not meet it. */
type TokenFault =
  /** Cut hard (RST), or softly (FIN without the end of the chunked body). */
  | { readonly kind: "reset-after-tokens" | "close-after-tokens"; readonly tokens: number }
  | { readonly kind: "stall-after-tokens"; readonly tokens: number }
  /** A well-formed end of the body without the terminal marker. */
  | { readonly kind: "truncate-after-tokens"; readonly tokens: number }
  /** The runner fails: a status before the first token, an error line after it. */
  | {
      readonly kind: "error-after-tokens";
      readonly tokens: number;
      readonly message: string;
      readonly status?: number;
    };

export type FaultRule = {
  /** As in the route table, such as `/api/chat` or `/v1/models/:model`; absent: any. */
  readonly route?: string;
  readonly method?: string;
  /** As the client spelled it; a rule with a model is never applied at the head. */
  readonly model?: string;
  /** Only the nth matching request, from 1. */
  readonly nth?: number;
  /** At most so many times; absent: until removed. */
  readonly times?: number;
  /** Strike as soon as the request's head has come, while its body is still on its way. */
  readonly atHead?: boolean;
  readonly fault: Fault;
};

/** Whether the fault is one of how bytes are put on the wire. */
export function isWireFault(fault: Fault): fault is WireFault {
  switch (fault.kind) {
    case "reset-after-bytes":
    case "close-delimited":
    case "content-length":
    case "extra-headers":
    case "informational":
    case "gzip":
    case "slow-body":
    case "replace-body":
    case "status":
      return true;
    default:
      return false;
  }
}

/** A header of `bytes` bytes: parsers refuse a head above some limit (Node and undici 16 KiB). */
export function hugeHeader(bytes: number): Fault {
  return { kind: "extra-headers", headers: [["X-Huge", "x".repeat(bytes)]] };
}
