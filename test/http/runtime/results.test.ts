import { once } from "node:events";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { ForemanError } from "../../../src/errors.ts";
import type { Call } from "../../../src/http/call.ts";
import { listResults, type ResultDeps } from "../../../src/http/runtime/results.ts";
import { tellError } from "../../../src/http/tell-error.ts";
import type { ItemPage, StoredItem } from "../../../src/store/batch-store.ts";
import { until } from "../../support/until.ts";
import { parseWireAnswer } from "../../support/wire-answer.ts";
import { headOf, received } from "../received.ts";

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const pageItems = 10;

function item(itemNo: number): StoredItem {
  return {
    ...{
      itemNo,
      requestId: `r${itemNo}`,
      payloadHash: "",
      status: "completed",
      provider: "ollama",
    },
    ...{ model: "m", repairs: 0, startedAtMs: 1, endedAtMs: 2, error: null, previousError: null },
    result: {
      ...{ content: "x".repeat(20_000), isJson: false, finishReason: "stop" },
      ...{ promptTokens: 1, completionTokens: 1 },
    },
    approval: null,
  };
}

/** A batch of so many items in pages of ten, asked for as lines; `readPage` may stand in its way. */
async function asked(count: number, readPage: (page: ItemPage) => void = () => {}) {
  const head = headOf(`GET /results HTTP/1.1`, ["Accept: application/x-ndjson"]);
  const { incoming, outgoing, socket } = await received(head);
  const batches = {
    batch: async () => ({ id, client: "ann", seq: 1 }),
    itemPage: async (_: unknown, page: ItemPage) => {
      readPage(page);
      const { after } = page;
      const size = Math.min(pageItems, count - after);
      const items = Array.from({ length: size }, (_, i) => item(after + i + 1));
      return { items, hasMore: after + size < count };
    },
  };
  const facts = { incoming, outgoing, url: "/results", client: "ann", extraHeaders: [] };
  const call = facts as unknown as Call;
  const deps = { batches } as unknown as ResultDeps;
  const log = pino({ level: "silent" });
  const told = listResults(call, id, deps).catch((cause) => tellError(call, cause, log));
  return { outgoing, socket, told };
}

describe("all results as lines", () => {
  test("wait for a slow reader, and leave nothing behind on its connection", async () => {
    const pages: number[] = [];
    const { outgoing, socket, told } = await asked(600, ({ after }) => void pages.push(after));
    await until("it does not keep up", () => outgoing.writableNeedDrain);
    const pagesBefore = pages.length;
    const pieces: Buffer[] = [];
    const listeners: number[] = [];
    socket.on("data", (bytes) => {
      pieces.push(bytes);
      listeners.push(outgoing.listenerCount("close") + outgoing.listenerCount("error"));
    });

    await told;
    const answer = () => parseWireAnswer(Buffer.concat(pieces).toString("latin1"));
    await until("it has all", () => answer().isWhole);

    expect([pagesBefore < 60, pages.length]).toEqual([true, 60]);
    expect(answer().body.trimEnd().split("\n")).toHaveLength(600);
    expect(Math.max(...listeners)).toBeLessThan(8);
  });

  test("break off where a page cannot be read", async () => {
    const failure = new ForemanError("storage_failed", "the disk is broken");
    const { socket, told } = await asked(60, ({ after }) => {
      if (after === 20) throw failure;
    });
    const pieces: Buffer[] = [];
    socket.on("data", (bytes) => pieces.push(bytes));

    await told;
    await once(socket, "close");

    const text = Buffer.concat(pieces).toString("latin1");
    expect(text).toContain('"request_id":"r20"');
    expect(parseWireAnswer(text).isWhole).toBe(false);
  });
});
