import { html, nothing, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import type { App } from "./app.ts";
import { count, duration, plural } from "./format.ts";
import { timeOf } from "./page-clock.ts";
import { badge, bar, button, panel, table } from "./pieces.ts";

const pageLines = 20;

type Line = Status["waiting"][number];

/** The queue by class, model and client: a line each, the one that starts first on top. */
export class WaitingPanel {
  readonly #app: App;
  #page = 0;

  constructor(app: App) {
    this.#app = app;
  }

  draw({ batches, paused, waiting }: Status): TemplateResult {
    const depth = waiting.reduce((sum, line) => sum + line.depth, 0);
    const lines = waiting.toSorted(
      (a, b) =>
        (a.eta_ms ?? Number.MAX_VALUE) - (b.eta_ms ?? Number.MAX_VALUE) || b.depth - a.depth,
    );
    const pages = Math.max(1, Math.ceil(lines.length / pageLines));
    this.#page = Math.min(this.#page, pages - 1);
    const first = this.#page * pageLines;
    const heads = [
      { head: "Model" },
      { head: "Who" },
      { head: "Jobs", isFigure: true },
      { head: "Waited", isFigure: true },
      { head: "Starts in", isFigure: true },
      { head: "Why it waits" },
    ];
    const rows = lines.slice(first, first + pageLines).map((line) => this.#row(line));
    return panel(
      "Waiting",
      html`${paused.map(pauseNotice)}
      ${byClass(waiting, depth + batches.unfed)}
      ${table("Who waits, and why", heads, rows, "Nobody waits.")}
      ${pages > 1 ? this.#pager(pages, lines.length) : nothing} ${unfedNotice(batches)}`,
      {
        aside: depth === 0 ? nothing : `${plural(depth, "job")} in ${plural(lines.length, "line")}`,
        kind: "waiting",
      },
    );
  }

  #row(line: Line) {
    const ageMs = this.#app.live.ageMs;
    const etaMs = line.eta_ms === null ? null : line.eta_ms - ageMs;
    return [
      html`<a class="model" href="#/jobs?state=queued&model=${encodeURIComponent(line.model)}"
        ><bdi>${line.model}</bdi></a
      >`,
      html`${badge(line.priority)} <bdi>${line.client}</bdi>`,
      count(line.depth),
      duration(line.head_waited_ms === null ? null : line.head_waited_ms + ageMs),
      etaMs !== null && etaMs < 500 ? "now" : duration(etaMs),
      html`<span class="why"><bdi>${line.reason ?? "its turn comes"}</bdi></span>`,
    ];
  }

  #pager(pages: number, lines: number): TemplateResult {
    const turn = (by: number) => () => {
      this.#page += by;
      this.#app.redraw();
    };
    return html`<nav class="pager" aria-label="Pages of lines that wait">
      ${button("← Before", turn(-1), { isOff: this.#page === 0 })}
      <span>${this.#page + 1} of ${pages} (${count(lines)} lines)</span>
      ${button("After →", turn(1), { isOff: this.#page === pages - 1 })}
    </nav>`;
  }
}

/** What no line tells of: a batch joins the queue some items at a time. */
function unfedNotice({ open, unfed }: Status["batches"]): TemplateResult | typeof nothing {
  if (unfed === 0) return nothing;
  return html`<p class="unfed">
    <b>${count(unfed)}</b> more ${unfed === 1 ? "item" : "items"} of
    <a href="#/batches">${plural(open, "batch", "batches")}</a> wait to join these lines, which
    take in some at a time.
  </p>`;
}

/** What a pause holds back, such as `batch work on gemma3:12b`. */
export function pausedWork({ class: jobClass, model }: Status["paused"][number]): string {
  return `${jobClass ?? "all"} work${model === null ? "" : ` on ${model}`}`;
}

function pauseNotice(pause: Status["paused"][number]) {
  const { by, note, since } = pause;
  return html`<p class="notice">
    ${badge("paused")} <bdi>${pausedWork(pause)}</bdi>, by <bdi>${by}</bdi>,
    ${timeOf(since)}${note === null ? "" : ": "} <bdi>${note ?? ""}</bdi>
  </p>`;
}

/** How the queue is made up: of people and of batches, as shares of one bar. */
function byClass(waiting: readonly Line[], depth: number): TemplateResult | typeof nothing {
  if (depth === 0) return nothing;
  const people = waiting
    .filter(({ priority }) => priority === "interactive")
    .reduce((sum, line) => sum + line.depth, 0);
  return html`<div class="makeup">
    <span><b>${count(people)}</b> of people</span>
    ${bar(people / depth, "Share of people's jobs")}
    <span><b>${count(depth - people)}</b> of batches</span>
  </div>`;
}
