import { html, nothing, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { resultsPage, resultView } from "../wire/runtime-answers.ts";
import type { App, View } from "./app.ts";
import { type Batch, endedShare } from "./batches-view.ts";
import { count, duration, plural, shortId } from "./format.ts";
import { ListReader } from "./list-reader.ts";
import { agoMs, every, timeOf } from "./page-clock.ts";
import { pager } from "./pager.ts";
import { badge, bar, button, panel, problem, table } from "./pieces.ts";
import { saveAs } from "./save-as.ts";

type Results = z.output<typeof resultsPage>;
type Result = z.output<typeof resultView>;

const refreshMs = 1_500;
const filters = ["all", "failed", "completed", "queued", "pending", "approved", "rejected"];

/** One batch: how far it is, which items failed and why, its results and their approval. */
export function openBatch(app: App, id: string): View {
  const story = new BatchStory(app, id);
  return { title: "batch", close: () => story.close(), draw: () => story.draw() };
}

class BatchStory {
  readonly #app: App;
  readonly #path: string;
  readonly #results: ListReader<Results>;
  readonly #stop: () => void;
  #batch: Batch | null = null;
  #problem: string | null = null;
  #filter = "all";

  constructor(app: App, id: string) {
    this.#app = app;
    this.#path = `../api/runtime/llm/jobs/${encodeURIComponent(id)}`;
    const options = { onChange: app.redraw, refreshMs };
    this.#results = new ListReader<Results>(app.api, this.#resultsPath(), options);
    this.#stop = every(refreshMs, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#stop();
    this.#results.close();
  }

  draw(): TemplateResult {
    const batch = this.#batch;
    if (batch === null)
      return html`${problem(this.#problem)}<p class="boot">Reading the batch …</p>`;
    return html`<h1><bdi>${batch.job_type}</bdi> ${badge(batch.status)}</h1>
      <p class="sub">
        <code>${batch.job_id}</code> · <bdi>${batch.model ?? "models of its items"}</bdi>
        · ${timeOf(batch.created_at)}
      </p>
      ${problem(this.#problem ?? batch.failure_reason)}
      ${panel("Progress", progressOf(batch), { aside: this.#actions(batch) })}
      ${panel("Items", this.#items(), { aside: this.#filters(), kind: "wide" })}
      ${pager(this.#results, "Pages of items")}`;
  }

  #actions(batch: Batch): TemplateResult {
    const { api } = this.#app;
    const left = batch.queued_count + batch.running_count;
    const cancel = () =>
      this.#app.ask({
        title: "Cancel this batch?",
        words: `${plural(left, "item")} will not be run. Results stay.`,
        verb: "Cancel the batch",
        act: () => api.ask("POST", `${this.#path}/cancel`),
      });
    const download = async () => {
      const options = { accept: "application/x-ndjson" };
      const answer = await api.send("GET", `${this.#path}/results`, options);
      saveAs(`batch-${batch.job_id}.jsonl`, await answer.blob());
    };
    const onDownload = () => void this.#app.act(download(), "The results were downloaded.");
    const retry = () => {
      const retried = api.ask("POST", `${this.#path}/retry`);
      void this.#app.act(retried, "The failed items wait again.").then(() => this.#read());
    };
    const isRetryable = batch.ended_at !== null && batch.failed_count > 0;
    return html`<span class="actions">
      ${isRetryable ? button("Retry failed", retry) : nothing}
      ${button("Download JSONL", onDownload)}
      ${batch.ended_at === null ? button("Cancel", cancel) : nothing}
    </span>`;
  }

  #filters(): TemplateResult {
    const onChange = (event: Event) => {
      if (!(event.target instanceof HTMLSelectElement)) return;
      this.#filter = event.target.value;
      void this.#results.look(this.#resultsPath());
    };
    return html`<label class="inline">show
      <select @change=${onChange}>
        ${filters.map((name) => html`<option ?selected=${name === this.#filter}>${name}</option>`)}
      </select>
    </label>`;
  }

  #items(): TemplateResult {
    const heads = [
      { head: "State" },
      { head: "Item" },
      { head: "Answer, or what went wrong" },
      { head: "Took", isFigure: true },
      { head: "Approval" },
    ];
    const rows = (this.#results.page?.results ?? []).map((result) => [
      badge(result.status),
      html`<bdi>${result.request_id}</bdi>`,
      answerOf(result),
      tookOf(result),
      this.#approval(result),
    ]);
    const empty = this.#results.page === null ? "Reading …" : "No item fits.";
    return html`${problem(this.#results.problem)}${table("Items", heads, rows, empty)}`;
  }

  #approval({ approval, request_id }: Result): TemplateResult | string {
    if (approval === null) return "";
    if (approval.state !== "pending") {
      return html`${badge(approval.state)} <bdi>${approval.by ?? ""}</bdi>`;
    }
    const path = `${this.#path}/results/${encodeURIComponent(request_id)}`;
    const judge = (words: string, verb: "approve" | "reject", done: string) => {
      const onClick = () => {
        const judged = this.#app.api.ask("POST", `${path}/${verb}`);
        const told = this.#app.act(judged, `${request_id} is ${done}.`);
        void told.then(() => this.#results.read());
      };
      return button(words, onClick, { kind: "quiet", label: `${words} ${request_id}` });
    };
    return html`<span class="actions">
      ${judge("Approve", "approve", "approved")} ${judge("Reject", "reject", "rejected")}
    </span>`;
  }

  #resultsPath(): string {
    const isApproval = ["pending", "approved", "rejected"].includes(this.#filter);
    const name = isApproval ? "approval" : "status";
    const filter = this.#filter === "all" ? "" : `&${name}=${this.#filter}`;
    return `${this.#path}/results?limit=50${filter}`;
  }

  async #read(): Promise<void> {
    try {
      this.#batch = await this.#app.api.ask<Batch>("GET", this.#path);
      this.#problem = null;
    } catch (cause) {
      this.#problem = cause instanceof Error ? cause.message : String(cause);
    }
    this.#app.redraw();
  }
}

function progressOf(batch: Batch): TemplateResult {
  const fact = (name: string, value: number, tone = "") =>
    html`<div><dt>${name}</dt><dd class=${value > 0 ? tone : ""}>${count(value)}</dd></div>`;
  return html`${bar(endedShare(batch), `How much of ${shortId(batch.job_id)} has ended`, "tall")}
    <dl class="facts counters">
      ${fact("Submitted", batch.submitted_count)} ${fact("Waiting", batch.queued_count)}
      ${fact("Running", batch.running_count)} ${fact("Completed", batch.completed_count)}
      ${fact("Failed", batch.failed_count, "wrong")} ${fact("Cancelled", batch.cancelled_count)}
    </dl>`;
}

function answerOf({ content, error, previous_error, status }: Result): TemplateResult {
  const words = ({ code, message }: NonNullable<typeof error>) =>
    html`<span class="wrong">${code}</span> <bdi>${message}</bdi>`;
  if (error !== null) return words(error);
  if (previous_error !== null && status !== "completed")
    return html`tried again after ${words(previous_error)}`;
  return html`<span class="excerpt"><bdi>${content ?? ""}</bdi></span>`;
}

function tookOf({ ended_at, started_at }: Result): string {
  const [from, to] = [agoMs(started_at), agoMs(ended_at)];
  return duration(from === null || to === null ? null : from - to);
}
