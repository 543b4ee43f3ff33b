import { Histogram, type Registry } from "prom-client";

/** From an answer out of memory to a long chat that waited. */
const bucketsS = [0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300, 1_800];

/** A request that was answered, or whose client left. */
export type Answered = {
  /** `ALL` for a route that takes any. */
  readonly method: string;
  /** The route's template, never a path that a client wrote. */
  readonly route: string;
  /** Null: the client left before the answer began. */
  readonly statusCode: number | null;
  /** From the request's headers to the end of the answer. */
  readonly tookMs: number;
};

/** Counts and times requests by route. */
export class HttpMeter {
  readonly #seconds: Histogram<"method" | "route" | "status">;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: "foreman_http_request_duration_seconds",
      help: "From a request's headers to the end of its answer; status gone: its client left",
      labelNames: ["method", "route", "status"],
      buckets: bucketsS,
      registers: [registry],
    });
  }

  note({ method, route, statusCode, tookMs }: Answered): void {
    const status = statusCode === null ? "gone" : `${Math.floor(statusCode / 100)}xx`;
    this.#seconds.observe({ method, route, status }, tookMs / 1_000);
  }
}
