import type Database from "better-sqlite3";
import { type Delivery, type DueDeliveries, originsMax, tryAgainMsMax } from "../outbox.ts";
import { outboxSql } from "./outbox-sql.ts";
import { type DeliveryRow, deliveryOf } from "./rows.ts";

type DepthRow = { readonly left_count: number; readonly oldest_at_ms: number | null };

/** Reads what is left to be told: a few index seeks for each origin, however many rows wait. */
export class OutboxReader {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(deps: { database: Database.Database }) {
    this.#statements = prepare(deps.database);
  }

  /** See `Outbox.due`. Throws SqliteError. */
  due(nowMs: number, perOrigin: number): DueDeliveries {
    const deliveries: Delivery[] = [];
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const { origin } of this.#statements.origins.all({ originsMax })) {
      // Times that only a clock that was set back explains come last.
      const ranges = [
        { fromMs: 0, toMs: nowMs },
        { fromMs: nowMs + tryAgainMsMax + 1, toMs: Number.MAX_SAFE_INTEGER },
      ];
      const rows = ranges.flatMap((range) =>
        this.#statements.due.all({ ...range, origin, limit: perOrigin }),
      );
      deliveries.push(...rows.slice(0, perOrigin).map(deliveryOf));
      const next = this.#statements.nextAt.get({ origin, nowMs });
      nextAtMs = Math.min(nextAtMs, next?.next_at_ms ?? Number.POSITIVE_INFINITY);
    }
    return { deliveries, nextAtMs: Number.isFinite(nextAtMs) ? nextAtMs : null };
  }

  /** See `Outbox.depth`. Throws SqliteError. */
  depth(): { readonly left: number; readonly oldestAtMs: number | null } {
    const row = this.#statements.depth.get();
    return { left: row?.left_count ?? 0, oldestAtMs: row?.oldest_at_ms ?? null };
  }
}

function prepare(database: Database.Database) {
  return {
    origins: database.prepare<[object], { readonly origin: string }>(outboxSql.origins),
    due: database.prepare<[object], DeliveryRow>(outboxSql.due),
    nextAt: database.prepare<[object], { readonly next_at_ms: number | null }>(outboxSql.nextAt),
    depth: database.prepare<[], DepthRow>(outboxSql.depth),
  };
}
