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
  return panel(
    "Last 24 hours",
    html`<dl class="facts">
      ${fact("Jobs done", count(jobs.done), others)}
      ${fact("Tokens", count(tokens), "written by Ollama")}
      ${fact("People waited", wait(waits.interactive), "median · 95 of 100")}
      ${fact("Batches waited", wait(waits.batch), "median · 95 of 100")}
      ${fact("Swaps", count(swaps), "models loaded")}
      ${fact("Swaps spared", count(swaps_spared), "against order of arrival")}
    </dl>`,
  );
}
