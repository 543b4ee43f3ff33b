import { html } from "lit-html";
import type { z } from "zod";
import type { batchList, batchView } from "../wire/runtime-answers.ts";
import type { App, View } from "./app.ts";
import { count, shortId } from "./format.ts";
import { ListReader } from "./list-reader.ts";
import { timeOf } from "./page-clock.ts";
import { pager } from "./pager.ts";
import { badge, bar, panel, problem, table } from "./pieces.ts";

type BatchList = z.output<typeof batchList>;
export type Batch = z.output<typeof batchView>;

const refreshMs = 2_000;

/** All batches, newest first, with how far each is. */
export function openBatches(app: App): View {
  const path = "../api/runtime/llm/jobs?limit=50";
  const options = { onChange: app.redraw, refreshMs };
  const reader = new ListReader<BatchList>(app.api, path, options);
  const heads = [
    { head: "State" },
    { head: "Batch" },
    { head: "Model" },
    { head: "Came" },
    { head: "Done" },
    { head: "Items", isFigure: true },
    { head: "Failed", isFigure: true },
  ];
  const rowOf = (batch: Batch) => [
    badge(batch.status),
    html`<a href="#/batches/${batch.job_id}">
      <bdi>${batch.job_type}</bdi> ${shortId(batch.job_id)}
    </a>`,
    html`<bdi>${batch.model ?? "as each item says"}</bdi>`,
    timeOf(batch.created_at),
    bar(endedShare(batch), `How much of ${shortId(batch.job_id)} has ended`),
    count(batch.submitted_count),
    html`<span class=${batch.failed_count > 0 ? "wrong" : ""}>${count(batch.failed_count)}</span>`,
  ];
  return {
    title: "batches",
    close: () => reader.close(),
    draw: () => {
      const rows = (reader.page?.jobs ?? []).map(rowOf);
      const empty = reader.page === null ? "Reading …" : "No batch was submitted yet.";
      return html`<h1>Batches</h1>
        ${problem(reader.problem)}
        ${panel("Newest first", table("Batches", heads, rows, empty), { kind: "wide" })}
        ${pager(reader, "Pages of batches")}`;
    },
  };
}

/** How much of the batch has ended, 0 to 1. */
export function endedShare(batch: Batch): number {
  const { cancelled_count, completed_count, failed_count, submitted_count } = batch;
  return (completed_count + failed_count + cancelled_count) / Math.max(1, submitted_count);
}
