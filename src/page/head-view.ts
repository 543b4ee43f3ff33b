import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "./app.ts";
import { duration } from "./format.ts";
import type { Connection, Live } from "./live.ts";
import { nowMs } from "./page-clock.ts";
import { button } from "./pieces.ts";

const rooms: readonly (readonly [title: string, href: string, words: string])[] = [
  ["now", "#/", "Now"],
  ["jobs", "#/jobs", "Jobs"],
  ["batches", "#/batches", "Batches"],
  ["history", "#/history", "History"],
  ["controls", "#/controls", "Controls"],
];

/** The target's lamp, the rooms, and whether what is shown is of this moment. */
export function headView(app: App, title: string, leave: (() => void) | null): TemplateResult {
  const { connection } = app.live;
  return html`<header class="head">
      <a class="brand" href="#/"><span class="mark" aria-hidden="true"></span>foreman</a>
      ${targetLamp(app.live)}
      <nav aria-label="Rooms">
        ${rooms.map(([name, href, words]) => {
          const isHere = name === title || `${title}s` === name || `${title}es` === name;
          return html`<a href=${href} aria-current=${isHere ? "page" : nothing}>${words}</a>`;
        })}
      </nav>
      <span class="caller">
        ${app.me === null ? nothing : html`<bdi>${app.me.client}</bdi> (${app.me.scope})`}
        ${leave === null ? nothing : button("Leave", leave, { kind: "quiet" })}
      </span>
      <span class="link ${connection.kind}">
        <i aria-hidden="true"></i><span>${linkWords(connection)}</span>
      </span>
    </header>
    ${connection.kind === "lost" ? lostBanner(app.live, connection) : nothing}`;
}

function targetLamp({ status }: Live): TemplateResult | typeof nothing {
  if (status === null) return nothing;
  const { away_ms, presence, version } = status.target;
  const words =
    away_ms === null ? `Ollama ${version ?? ""} ${presence}` : `Ollama away ${duration(away_ms)}`;
  return html`<span class="lamp ${presence}"><i aria-hidden="true"></i>${words}</span>`;
}

function linkWords(connection: Connection): string {
  if (connection.kind === "live") return "live";
  return connection.kind === "lost" ? "not live" : "connecting";
}

function lostBanner(live: Live, lost: Extract<Connection, { kind: "lost" }>): TemplateResult {
  const inMs = Math.max(0, lost.retryAtMs - nowMs());
  const seen = live.status === null ? "" : ` What you see is ${duration(live.ageMs)} old.`;
  return html`<p class="lost" role="status">
    No word from foreman: ${lost.words}.${seen} Asking again in ${Math.ceil(inMs / 1_000)} s.
    <button type="button" @click=${() => live.retryNow()}>Ask now</button>
  </p>`;
}
