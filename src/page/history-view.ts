import { html, type TemplateResult } from "lit-html";
import type { HistoryDocument, HistorySample } from "../wire/history.ts";
import type { App, View } from "./app.ts";
import { every } from "./page-clock.ts";
import { panel, problem } from "./pieces.ts";
import { type Curve, Plot } from "./plot.ts";

const refreshMs = 20_000;

type Span = HistoryDocument["span"];

type Chart = {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
  readonly values: (sample: HistorySample) => readonly (number | null)[];
};

const spanS: Readonly<Record<Span, number>> = { hour: 3_600, day: 86_400 };

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

const charts: readonly Chart[] = [
  {
    title: "Jobs",
    unit: "in each step",
    curves: [
      { label: "done", tone: "good" },
      { label: "failed", tone: "bad" },
    ],
    values: ({ jobs_done, jobs_failed }) => [jobs_done, jobs_failed],
  },
  {
    title: "Waits",
    unit: "seconds",
    curves: [
      { label: "median", tone: "lamp" },
      { label: "95 of 100", tone: "soft" },
    ],
    values: ({ wait_p50_ms, wait_p95_ms }) => [seconds(wait_p50_ms), seconds(wait_p95_ms)],
  },
  {
    title: "GPU busy",
    unit: "percent of the time",
    curves: [{ label: "busy", tone: "lamp" }],
    values: ({ gpu_busy_share }) => [gpu_busy_share * 100],
  },
  {
    title: "Swaps",
    unit: "in each step",
    curves: [{ label: "swaps", tone: "soft" }],
    values: ({ swaps }) => [swaps],
  },
  {
    title: "Queue",
    unit: "jobs and items",
    curves: [
      { label: "waiting", tone: "lamp" },
      { label: "running", tone: "good" },
    ],
    values: ({ queued, running, unfed }) => [queued + unfed, running],
  },
  {
    title: "Tokens",
    unit: "in each step",
    curves: [{ label: "tokens", tone: "soft" }],
    values: ({ tokens }) => [tokens],
  },
];

/** The last hour by the minute, or the last day by ten minutes. */
export function openHistory(app: App): View {
  const plots = charts.map(({ curves, title }) => new Plot(title, curves));
  let span: Span = "hour";
  let wrong: string | null = null;
  const read = async () => {
    try {
      const told = await app.api.ask<HistoryDocument>("GET", `history?span=${span}`);
      for (const [i, plot] of plots.entries())
        plot.show(told.samples, charts[i]?.values ?? (() => []), spanS[told.span]);
      wrong = null;
    } catch (cause) {
      wrong = cause instanceof Error ? cause.message : String(cause);
    }
    app.redraw();
  };
  const stop = every(refreshMs, () => void read());
  void read();
  const choose = (wanted: Span) => () => {
    span = wanted;
    void read();
  };
  const choice = (wanted: Span, words: string): TemplateResult => html`<button
    type="button"
    aria-pressed=${span === wanted ? "true" : "false"}
    @click=${choose(wanted)}
  >${words}</button>`;
  return {
    title: "history",
    close: () => {
      stop();
      for (const plot of plots) plot.close();
    },
    draw: () => html`<h1>History</h1>
      <p class="choice" role="group" aria-label="Span">
        ${choice("hour", "Last hour")} ${choice("day", "Last day")}
      </p>
      ${problem(wrong)}
      <div class="charts">
        ${plots.map(({ element }, i) => {
          const { title = "", unit = "" } = charts[i] ?? {};
          return panel(title, html`${element}`, { aside: unit });
        })}
      </div>`,
  };
}
