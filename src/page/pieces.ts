import { html, nothing, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import { timeOf } from "./page-clock.ts";

export type Cell = TemplateResult | string | number | typeof nothing;

type Column = { readonly head: string; readonly isFigure?: boolean };

/** A table that becomes a list of cards on a narrow screen: each cell knows its column's name. */
export function table(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  empty: string,
): TemplateResult {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const kind = (i: number) => (columns[i]?.isFigure ? "figure" : "");
  return html`<table aria-label=${label}>
    <thead><tr>
      ${columns.map(({ head }, i) => html`<th scope="col" class=${kind(i)}>${head}</th>`)}
    </tr></thead>
    <tbody>
      ${rows.map(
        (cells) => html`<tr>
          ${cells.map(
            (cell, i) =>
              html`<td class=${kind(i)} data-head=${columns[i]?.head ?? ""}>${cell}</td>`,
          )}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

export function panel(
  title: string,
  body: TemplateResult | readonly TemplateResult[],
  options: { readonly aside?: Cell; readonly kind?: string } = {},
): TemplateResult {
  const { aside = nothing, kind = "" } = options;
  return html`<section class="panel ${kind}">
    <header><h2>${title}</h2><span class="aside">${aside}</span></header>
    ${body}
  </section>`;
}

/** A state in a word and a colour; the colour never says it alone. */
export function badge(state: string): TemplateResult {
  return html`<span class="badge ${toneOf(state)}">${state}</span>`;
}

/** A share of a whole as a bar; 0 to 1. */
export function bar(share: number, label: string, tone = ""): TemplateResult {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return html`<progress
    class="bar ${tone}"
    max="100"
    value=${percent}
    aria-label=${label}
  ></progress>`;
}

export function problem(words: string | null): TemplateResult | typeof nothing {
  return words === null ? nothing : html`<p class="problem" role="alert">${words}</p>`;
}

export function button(
  words: string,
  onClick: () => void,
  options: { readonly kind?: string; readonly isOff?: boolean; readonly label?: string } = {},
): TemplateResult {
  const { isOff = false, kind = "", label } = options;
  return html`<button
    type="button"
    class=${kind}
    ?disabled=${isOff}
    aria-label=${label ?? nothing}
    @click=${onClick}
  >${words}</button>`;
}

function toneOf(state: string): string {
  if (/^(done|completed|online|present|approved|ok)$/.test(state)) return "good";
  if (/^(failed|offline|away|rejected|missing)$/.test(state)) return "bad";
  if (/^(now|working|running|loading|returning)$/.test(state)) return "busy";
  if (/^(degraded|doubted|pending|paused)$/.test(state)) return "warn";
  return "";
}

/** Since when, by whom and why new work is refused, so that nobody has to ask around. */
export function drainWords({ by, note, since }: NonNullable<Status["drain"]>): TemplateResult {
  const why = note === null ? nothing : html`: <bdi>${note}</bdi>`;
  return html`No new work is taken, since ${timeOf(since)} by <bdi>${by}</bdi>${why}.`;
}
