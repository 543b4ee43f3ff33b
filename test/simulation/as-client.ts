// What all clients of a world have in common.
import type { ManualClock } from "../support/manual-clock.ts";
import { clients, type Life, tokenOf } from "./life.ts";
import type { Referee } from "./referee.ts";
import type { Exchange } from "./sim-wire.ts";

export type ClientDeps = {
  readonly clock: ManualClock;
  /** The life that there is now; null while there is none. */
  readonly life: () => Life | null;
  readonly referee: Referee;
  readonly note: (what: string) => void;
};

/** How soon a client asks again. */
export const againMs = 700;

/** The headers of a client. */
export function bearer(client: number): { readonly Authorization: string } {
  return { Authorization: `Bearer ${tokenOf(clients[client] ?? "")}` };
}

/** Foreman says that it cannot take it now, or its door is shut. */
export function isTurnedAway({ headers, statusCode }: Exchange): boolean {
  if (statusCode === null) return true;
  return [500, 503, 507].includes(statusCode) && headers["x-foreman-job"] === undefined;
}
