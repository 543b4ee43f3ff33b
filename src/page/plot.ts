import uPlot from "uplot";
import type { HistorySample } from "../wire/history.ts";
import { hourOf, secondsOf } from "./page-clock.ts";

/** A line of a plot; its colour is the token of that name in page.css. */
export type Curve = { readonly label: string; readonly tone: "good" | "bad" | "lamp" | "soft" };

const heightPx = 150;

/** One plot over time, as wide as its panel, in the colours of the theme. */
export class Plot {
  readonly element: HTMLElement;
  readonly #curves: readonly Curve[];
  readonly #watch: ResizeObserver;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");
  #plot: uPlot | null = null;
  #spanS = 3_600;
  #data: uPlot.AlignedData = [[]];

  constructor(title: string, curves: readonly Curve[]) {
    this.#curves = curves;
    this.element = document.createElement("div");
    this.element.className = "plot";
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", `${title}: nothing yet`);
    this.#watch = new ResizeObserver(() => this.#fit());
    this.#watch.observe(this.element);
    this.#theme.addEventListener("change", this.#redo);
  }

  /** The samples, the last of which ends a span of so many seconds. */
  show(
    samples: readonly HistorySample[],
    valuesOf: (sample: HistorySample) => readonly (number | null)[],
    spanS: number,
  ): void {
    this.#spanS = spanS;
    const values = samples.map(valuesOf);
    const times = samples.map(({ at }) => secondsOf(at));
    const series = this.#curves.map((_, i) => values.map((row) => row[i] ?? null));
    this.#data = [times, ...series];
    const last = this.#curves.map(({ label }, i) => `${label} ${values.at(-1)?.[i] ?? "none"}`);
    this.element.setAttribute("aria-label", `Last values: ${last.join(", ")}`);
    this.#plot?.setData(this.#data);
  }

  close(): void {
    this.#watch.disconnect();
    this.#theme.removeEventListener("change", this.#redo);
    this.#plot?.destroy();
  }

  readonly #redo = () => {
    this.#plot?.destroy();
    this.#plot = null;
    this.#fit();
  };

  #fit(): void {
    const width = Math.floor(this.element.clientWidth);
    if (width === 0) return;
    if (this.#plot === null) this.#plot = new uPlot(this.#options(width), this.#data, this.element);
    else this.#plot.setSize({ width, height: heightPx });
  }

  /** By itself uPlot would spread a single sample over years. */
  #spanShown(): [number, number] {
    const last = this.#data[0].at(-1) ?? this.#spanS;
    return [last - this.#spanS, last + this.#spanS * 0.02];
  }

  #options(width: number): uPlot.Options {
    const style = getComputedStyle(this.element);
    const colour = (token: string) => style.getPropertyValue(`--${token}`).trim();
    const axis = {
      stroke: colour("ink-soft"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "11px ui-monospace, monospace",
    };
    return {
      width,
      height: heightPx,
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { range: () => this.#spanShown() },
        y: { range: (_plot, _least, most) => [0, Math.max(1, most ?? 1)] },
      },
      axes: [
        { ...axis, values: (_plot, times) => times.map(hourOf) },
        { ...axis, size: 44 },
      ],
      series: [
        {},
        ...this.#curves.map(({ label, tone }) => ({
          ...{ label, stroke: colour(tone), width: 2, spanGaps: false },
        })),
      ],
    };
  }
}
