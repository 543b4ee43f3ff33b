import type Database from "better-sqlite3";
import type { Job } from "../../job.ts";
import type {
  BatchHeading,
  BatchOpening,
  BatchSeq,
  ItemEnd,
  ItemKey,
  PackedItems,
} from "../batch-store.ts";
import type { ItemLink } from "../store.ts";
import {
  type BatchRow,
  batchSeq,
  type ItemRow,
  openItem,
  type SeqRow,
  storedBatch,
} from "./batch-rows.ts";
import { batchSql } from "./batch-sql.ts";
import type { BatchVerbAnswers, BatchWriteVerb } from "./batch-verb.ts";
import type { DiskWatch } from "./disk-watch.ts";

type NumberRow = { readonly item_no: number };

/** The writing thread's verbs of batches; the caller has the transaction, as for `WriteVerbs`. */
export class BatchVerbs {
  readonly #disk: DiskWatch;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(deps: { database: Database.Database; disk: DiskWatch }) {
    this.#disk = deps.disk;
    this.#statements = prepare(deps.database);
  }

  /** Applies one verb. Throws SqliteError, after which the caller undoes what the verb began. */
  apply(verb: BatchWriteVerb): BatchVerbAnswers[BatchWriteVerb["kind"]] {
    const statements = this.#statements;
    switch (verb.kind) {
      case "beginBatch":
        return batchSeq(statements.beginBatch.get(verb.facts)?.seq ?? 0);
      case "appendItems":
        this.#appendItems(verb.batch, verb.items);
        return undefined;
      case "openBatch":
        return this.#openBatch(verb.batch, verb.heading);
      case "dropBatch":
        return this.#dropBatch(verb.batch, verb.limit);
      case "startItem": {
        const { atMs, item, provider } = verb;
        const { changes } = statements.startItem.run({ ...item, provider, atMs });
        return changes === 1 ? "started" : "lost";
      }
      case "restItem":
        return statements.restItem.run(verb.item).changes === 1 ? "rests" : "lost";
      case "endItem":
        return this.#endItem(verb.item, verb.end);
      case "recoverItems":
        return statements.recoverItems.run().changes;
      case "cancelItems":
        return this.#cancelItems(verb.batch, verb.limit, verb.atMs);
      case "retryItems":
        return statements.retryItems.all(verb).map(({ item_no: itemNo }) => itemNo);
      case "judge": {
        const { batch, requestId, verdict } = verb;
        const { changes } = statements.judge.run({ ...verdict, batch, requestId });
        return changes === 1 ? "judged" : "none";
      }
      case "batch": {
        const row = statements.batch.get(verb);
        return row === undefined ? null : storedBatch(row);
      }
      case "request":
        return statements.request.get(verb.item)?.request ?? null;
      case "waitingItems":
        return statements.waitingItems.all(verb).map(openItem);
      case "itemsUnderWay":
        return statements.itemsUnderWay.all(verb).map(openItem);
      default:
        return verb satisfies never;
    }
  }

  /**
   * Has a job of the queue stand for the item, in the place of the one that it replaces; false if
   * the item has ended, or another job stands for it.
   */
  link({ batch, itemNo, replaces }: ItemLink, { id, model }: Job): boolean {
    const { dropAnswer, linkItem } = this.#statements;
    if (linkItem.run({ batch, itemNo, replaces, id, model }).changes === 0) return false;
    if (replaces !== null) dropAnswer.run({ queueJob: replaces });
    return true;
  }

  #appendItems(batch: BatchSeq, items: PackedItems): void {
    this.#disk.admit(items.requests.byteLength);
    const { appendItem, appendRequest } = this.#statements;
    let start = 0;
    for (const [index, end] of items.ends.entries()) {
      const itemNo = items.firstNo + index;
      const requestId = items.requestIds[index];
      const payloadHash = items.payloadHashes[index];
      appendItem.run({ batch, itemNo, requestId, payloadHash });
      appendRequest.run({ batch, itemNo, request: items.requests.subarray(start, end) });
      start = end;
    }
  }

  #openBatch(batch: BatchSeq, heading: BatchHeading): BatchOpening {
    const { idempotencyKey } = heading;
    const holder = this.#statements.keyHolder.get({ batch, idempotencyKey });
    if (holder !== undefined) return { kind: "known", batch: storedBatch(holder) };
    // The database may have gone since the last item came, and what is opened is acknowledged.
    this.#disk.admit(0);
    const requiresApproval = heading.requiresApproval ? 1 : 0;
    this.#statements.openBatch.run({ ...heading, requiresApproval, batch });
    return { kind: "opened" };
  }

  /** Item by item, because a cascade from the batch would delete all of them in one transaction. */
  #dropBatch(batch: BatchSeq, limit: number): number {
    const { dropBatch, dropItems, dropRequest, dropResult } = this.#statements;
    const dropped = dropItems.all({ batch, limit });
    for (const { item_no: itemNo } of dropped) {
      dropRequest.run({ batch, itemNo });
      dropResult.run({ batch, itemNo });
    }
    if (dropped.length < limit) dropBatch.run({ batch });
    return dropped.length;
  }

  #endItem({ batch, itemNo }: ItemKey, end: ItemEnd): "ended" | "lost" {
    const statements = this.#statements;
    const queueJob = statements.queueJobOf.get({ batch, itemNo })?.queue_job ?? null;
    const error = end.status === "completed" ? null : end.error;
    const { changes } = statements.endItem.run({
      ...{ batch, itemNo, status: end.status, atMs: end.atMs },
      ...{ provider: end.provider, model: end.model, repairs: end.repairs },
      ...{ errorCode: error?.code ?? null, errorMessage: error?.message ?? null },
    });
    if (changes === 0) return "lost";
    if (end.status === "completed") {
      const isJson = end.result.isJson ? 1 : 0;
      statements.insertResult.run({ ...end.result, isJson, batch, itemNo });
    }
    // What failed may be asked for again.
    if (end.status !== "failed") statements.dropRequest.run({ batch, itemNo });
    if (queueJob !== null) statements.dropAnswer.run({ queueJob });
    return "ended";
  }

  #cancelItems(batch: BatchSeq, limit: number, atMs: number): number {
    const { cancelBatch, cancelItems, dropRequest } = this.#statements;
    cancelBatch.run({ batch });
    const cancelled = cancelItems.all({ batch, limit, atMs });
    for (const { item_no: itemNo } of cancelled) dropRequest.run({ batch, itemNo });
    return cancelled.length;
  }
}

function prepare(database: Database.Database) {
  return {
    beginBatch: database.prepare<[object], SeqRow>(batchSql.beginBatch),
    appendItem: database.prepare<[object]>(batchSql.appendItem),
    appendRequest: database.prepare<[object]>(batchSql.appendRequest),
    keyHolder: database.prepare<[object], BatchRow>(batchSql.keyHolder),
    openBatch: database.prepare<[object]>(batchSql.openBatch),
    dropItems: database.prepare<[object], NumberRow>(batchSql.dropItems),
    dropRequest: database.prepare<[object]>(batchSql.dropRequest),
    dropResult: database.prepare<[object]>(batchSql.dropResult),
    dropBatch: database.prepare<[object]>(batchSql.dropBatch),
    linkItem: database.prepare<[object]>(batchSql.linkItem),
    startItem: database.prepare<[object]>(batchSql.startItem),
    restItem: database.prepare<[object]>(batchSql.restItem),
    queueJobOf: database.prepare<[object], Pick<ItemRow, "queue_job">>(batchSql.queueJobOf),
    endItem: database.prepare<[object]>(batchSql.endItem),
    insertResult: database.prepare<[object]>(batchSql.insertResult),
    dropAnswer: database.prepare<[object]>(batchSql.dropAnswer),
    recoverItems: database.prepare(batchSql.recoverItems),
    cancelBatch: database.prepare<[object]>(batchSql.cancelBatch),
    cancelItems: database.prepare<[object], NumberRow>(batchSql.cancelItems),
    retryItems: database.prepare<[object], NumberRow>(batchSql.retryItems),
    judge: database.prepare<[object]>(batchSql.judge),
    batch: database.prepare<[object], BatchRow>(batchSql.batch),
    request: database.prepare<[object], { readonly request: Uint8Array }>(batchSql.request),
    waitingItems: database.prepare<[object], ItemRow>(batchSql.waitingItems),
    itemsUnderWay: database.prepare<[object], ItemRow>(batchSql.itemsUnderWay),
  };
}
