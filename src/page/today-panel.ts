import { html, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import { count, duration } from "./format.ts";
import { panel } from "./pieces.ts";

/** What the last 24 hours came to. */
export function todayPanel({ today }: Status): TemplateResult {
  const { jobs, swaps, swaps_spared, tokens, waits } = today;
  const wait = ({ p50_ms, p95_ms }: typeof waits.batch) =>
    `${duration(p50_ms)} · ${duration(p95_ms)}`;
  const fact = (name: string, value: string, note = "") => html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
    <dd class="note">${note}</dd>
  </div>`;
  const others = `${count(jobs.failed)} failed, ${count(jobs.cancelled)} cancelled`;
  const isSpared = swaps_spared >= 0;
  const sparedNote = isSpared ? "against order of arrival" : "for people, who went first";
  return panel(
    "Last 24 hours",
    html`<dl class="facts">
      ${fact("Jobs done", count(jobs.done), others)}
      ${fact("Tokens", count(tokens), "written by Ollama")}
      ${fact("People waited", wait(waits.interactive), "median · 95 of 100")}
      ${fact("Batches waited", wait(waits.batch), "median · 95 of 100")}
      ${fact("Swaps", count(swaps), "models loaded")}
      ${fact(isSpared ? "Swaps spared" : "Swaps added", count(Math.abs(swaps_spared)), sparedNote)}
    </dl>`,
  );
}
