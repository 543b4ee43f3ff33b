import { html, nothing, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import { type App, isAdmin, type View } from "./app.ts";
import { bytes, count, duration, plural, rate, shortId } from "./format.ts";
import { agoMs, timeOf } from "./page-clock.ts";
import { badge, bar, button, type Cell, panel, table } from "./pieces.ts";
import { todayPanel } from "./today-panel.ts";
import { Trouble, wrongWords } from "./trouble.ts";
import { pausedWork, WaitingPanel } from "./waiting-panel.ts";

const swapsShown = 6;

/** What runs, who waits and why, what is loaded, what went wrong: one look. */
export function openNow(app: App): View {
  const trouble = new Trouble(app);
  const waiting = new WaitingPanel(app);
  return {
    title: "now",
    close: () => trouble.close(),
    draw: () => {
      const { status } = app.live;
      if (status === null) return html`<p class="boot">Waiting for the first word of foreman …</p>`;
      return html`<h1 class="headline">${headline(status)}</h1>
        <div class="now">
          ${runningPanel(app, status)} ${trouble.draw(status)} ${waiting.draw(status)}
          <div class="side">
            ${residentsPanel(app, status)} ${todayPanel(status)} ${swapsPanel(status)}
          </div>
        </div>`;
    },
  };
}

/** The whole answer in one sentence. */
function headline(status: Status): TemplateResult {
  const { unfed } = status.batches;
  const depth = status.waiting.reduce((sum, line) => sum + line.depth, unfed);
  const models = [...new Set(status.running.map(({ model }) => model))].join(", ");
  const verb = status.running.length === 1 ? "runs" : "run";
  const runs =
    status.running.length === 0
      ? html`Nothing runs`
      : html`<b>${count(status.running.length)}</b> ${verb} on <bdi class="on">${models}</bdi>`;
  const soonest = Math.min(
    ...status.waiting.map(({ eta_ms }) => eta_ms ?? Number.POSITIVE_INFINITY),
  );
  const soon = soonest < 500 ? "the next any moment" : `the next in ${duration(soonest)}`;
  const next = Number.isFinite(soonest) ? html`, ${soon}` : nothing;
  const waits = depth === 0 ? html`nobody waits` : html`<b>${count(depth)}</b> wait${next}`;
  const wrong = wrongWords(status);
  const tail =
    wrong === ""
      ? html`Within a day no job and no item of a batch failed.`
      : html`<span class="wrong">${wrong}.</span>`;
  return html`${runs}; ${waits}. ${pausedWords(status)} ${tail}`;
}

/** Who waits behind a pause waits for a person. */
function pausedWords({ paused }: Status): TemplateResult | typeof nothing {
  const [first] = paused;
  if (first === undefined) return nothing;
  if (paused.length > 1) return html`${plural(paused.length, "kind")} of work are paused.`;
  const work = pausedWork(first);
  return html`<bdi>${work.charAt(0).toUpperCase()}${work.slice(1)}</bdi> is paused.`;
}

function runningPanel(app: App, status: Status): TemplateResult {
  const { running, slots } = status;
  const rows = Array.from({ length: Math.max(slots, running.length) }, (_, i) => running[i]);
  const busy = `${running.length} of ${plural(slots, "slot")}`;
  return panel(
    "Running",
    rows.map((run) =>
      run === undefined
        ? html`<div class="slot free"><span>free</span></div>`
        : html`<div class="slot">
            <a class="model" href="#/jobs/${run.job_id}"><bdi>${run.model}</bdi></a>
            <span class="who">${badge(run.priority)} <bdi>${run.client}</bdi></span>
            <span class="figure">${count(run.tokens)} tok</span>
            <span class="figure">${rate(run.tokens_per_s)}</span>
            <span class="figure clock">${duration(run.ran_ms + app.live.ageMs)}</span>
            <span class="attempt">${run.attempts > 1 ? `attempt ${run.attempts}` : nothing}</span>
            ${button("Cancel", () => askCancel(app, run.job_id, run.model), {
              kind: "quiet",
              label: `Cancel the job ${shortId(run.job_id)} on ${run.model}`,
            })}
          </div>`,
    ),
    { aside: busy, kind: "running" },
  );
}

/** Asks back, and cancels. */
export function askCancel(app: App, id: string, model: string, then = () => {}): void {
  app.ask({
    title: "Cancel this job?",
    words: `Job ${id} on ${model}. If it runs, its answer is cut; whoever waits for it is told so.`,
    verb: "Cancel the job",
    act: async () => {
      await app.api.ask("POST", `../jobs/${id}/cancel`);
      then();
    },
  });
}

function residentsPanel(app: App, { target }: Status): TemplateResult {
  const most = Math.max(...target.loaded.map(({ size_vram }) => size_vram), 1);
  const rows = target.loaded.map(({ expires_at, name, size_vram }): readonly Cell[] => [
    html`<bdi class="model">${name}</bdi>`,
    html`${bytes(size_vram)} ${bar(size_vram / most, `VRAM of ${name}`)}`,
    untilText(expires_at),
    isAdmin(app) ? unloadButton(app, name) : nothing,
  ]);
  const heads = [
    { head: "Model" },
    { head: "VRAM", isFigure: true },
    { head: "Leaves in", isFigure: true },
    { head: "" },
  ];
  const sum = target.loaded.reduce((total, { size_vram }) => total + size_vram, 0);
  return panel("In memory", table("Models in memory", heads, rows, "No model is loaded."), {
    aside: sum === 0 ? nothing : bytes(sum),
  });
}

function unloadButton(app: App, model: string): TemplateResult {
  const question = {
    title: `Unload ${model}?`,
    words: "Ollama lets go of it once what runs on it has ended. The next job on it loads it anew.",
    verb: "Unload it",
    act: () => app.api.ask("POST", "models/unload", { model }),
  };
  const label = `Unload ${model}`;
  return button("Unload", () => app.ask(question), { kind: "quiet", label });
}

const farMs = 10 * 365 * 86_400_000;

function untilText(iso: string): string {
  const ago = agoMs(iso);
  if (ago === null) return "–";
  return -ago > farMs ? "pinned" : duration(-ago);
}

function swapsPanel({ swaps }: Status): TemplateResult {
  const rows = swaps.recent
    .slice(0, swapsShown)
    .map((swap) => [
      timeOf(swap.at),
      html`${swapWords(swap)} <span class="from">for <bdi>${swap.client}</bdi></span>`,
      duration(swap.load_ms),
    ]);
  const heads = [{ head: "At" }, { head: "From → to" }, { head: "Load", isFigure: true }];
  const reloads = swaps.for_options === 0 ? "" : `, ${count(swaps.for_options)} for options alone`;
  const sum = `${plural(swaps.count, "swap")}${reloads}`;
  const aside = `${sum}, ${duration(swaps.load_ms)} since the start`;
  return panel("Swaps", table("Recent swaps", heads, rows, "No swap since foreman started."), {
    aside,
  });
}

/** Where the model stays, what changed are its options. */
function swapWords(swap: Status["swaps"]["recent"][number]): TemplateResult {
  const { cause, from, from_options, to, to_options } = swap;
  if (cause === "options") {
    const change = `${from_options || "no options"} → ${to_options || "no options"}`;
    return html`<bdi>${to}</bdi> <span class="from"><bdi>${change}</bdi></span>`;
  }
  return html`<span class="from"><bdi>${from ?? "nothing"}</bdi> →</span> <bdi>${to}</bdi>`;
}
