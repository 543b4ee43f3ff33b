import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import type { BatchSeq, ItemPage, ItemsRead, StoredItem } from "../batch-store.ts";
import {
  type BatchRow,
  batchSeq,
  type ItemResultRow,
  type SeqRow,
  storedBatch,
  storedItem,
} from "./batch-rows.ts";
import { batchPageSql, batchSql, itemPageSql } from "./batch-sql.ts";
import type { BatchReadVerb, BatchVerbAnswers } from "./batch-verb.ts";
import { OnDemand } from "./on-demand.ts";

/** A thousand long answers would be gigabytes: a page ends with the result that passes this. */
const pageLettersMax = 8 * 2 ** 20;

/** The reading thread's verbs of batches. */
export class BatchReader {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #batchPages: OnDemand<BatchRow>;
  readonly #itemPages: OnDemand<ItemResultRow>;

  constructor({ database }: { database: Database.Database }) {
    this.#statements = prepare(database);
    this.#batchPages = new OnDemand(database);
    this.#itemPages = new OnDemand(database);
  }

  /** Throws SqliteError. */
  read(verb: BatchReadVerb): BatchVerbAnswers[BatchReadVerb["kind"]] {
    const statements = this.#statements;
    switch (verb.kind) {
      case "hashRequests":
        return this.#hash(verb.batch, verb.before, verb.after);
      case "unopenedBatches":
        return statements.unopenedBatches.all().map(({ seq }) => batchSeq(seq));
      case "openBatches":
        return statements.openBatches.all().map(storedBatch);
      case "batchesEndedBefore":
        return statements.batchesEndedBefore.all(verb).map(({ seq }) => batchSeq(seq));
      case "batchPage": {
        const { after = Number.MAX_SAFE_INTEGER } = verb.page;
        const page = this.#batchPages.statement(batchPageSql(verb.page));
        return page.all({ ...verb.page, after }).map(storedBatch);
      }
      case "itemPage":
        return this.#readItems(verb.batch, verb.page);
      case "item": {
        const row = statements.item.get(verb);
        return row === undefined ? null : storedItem(row);
      }
      default:
        return verb satisfies never;
    }
  }

  #readItems(batch: BatchSeq, page: ItemPage): ItemsRead {
    const items: StoredItem[] = [];
    let letters = 0;
    const rows = this.#itemPages.statement(itemPageSql(page));
    for (const row of rows.iterate({ ...page, batch })) {
      items.push(storedItem(row));
      letters += row.content?.length ?? 0;
      if (letters >= pageLettersMax) return { items, hasMore: true };
    }
    return { items, hasMore: items.length === page.limit };
  }

  #hash(batch: BatchSeq, before: string, after: string): string {
    const hash = createHash("sha256").update(before);
    let separator = "";
    for (const { request } of this.#statements.requests.iterate({ batch })) {
      hash.update(separator).update(request);
      separator = ",";
    }
    return hash.update(after).digest("hex");
  }
}

function prepare(database: Database.Database) {
  return {
    unopenedBatches: database.prepare<[], SeqRow>(batchSql.unopenedBatches),
    openBatches: database.prepare<[], BatchRow>(batchSql.openBatches),
    batchesEndedBefore: database.prepare<[object], SeqRow>(batchSql.batchesEndedBefore),
    requests: database.prepare<[object], { readonly request: Uint8Array }>(batchSql.requests),
    item: database.prepare<[object], ItemResultRow>(batchSql.item),
  };
}
