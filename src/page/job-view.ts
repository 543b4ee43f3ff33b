import { html, nothing, type TemplateResult } from "lit-html";
import type { JobProgressEvent, JobStateEvent } from "../wire/job-events.ts";
import type { JobDocument } from "../wire/jobs.ts";
import type { ServerEvent } from "./api.ts";
import type { App, View } from "./app.ts";
import { bytes, count, duration, rate } from "./format.ts";
import { ranMs, waitedMs } from "./jobs-view.ts";
import { askCancel } from "./now-view.ts";
import { agoMs, every, timeOf } from "./page-clock.ts";
import { badge, button, panel, problem } from "./pieces.ts";
import { RequestPanel } from "./request-panel.ts";

const refreshMs = 2_000;

/** One job: how it came to be where it is, what it was asked and answered, and why not if not. */
export function openJob(app: App, id: string): View {
  const story = new JobStory(app, id);
  return { title: "job", close: () => story.close(), draw: () => story.draw() };
}

class JobStory {
  readonly #app: App;
  readonly #id: string;
  readonly #stop = new AbortController();
  readonly #stopReading: () => void;
  readonly #request: RequestPanel;
  #job: JobDocument | null = null;
  #problem: string | null = null;
  #steps: JobStateEvent[] = [];
  #progress: JobProgressEvent | null = null;

  constructor(app: App, id: string) {
    this.#app = app;
    this.#id = id;
    this.#request = new RequestPanel(app, `../jobs/${id}/request`);
    this.#stopReading = every(refreshMs, () => {
      if (this.#job?.ended_at == null) void this.#read();
    });
    void this.#read();
    void this.#follow();
  }

  close(): void {
    this.#stop.abort();
    this.#stopReading();
  }

  draw(): TemplateResult {
    const job = this.#job;
    if (job === null) return html`${problem(this.#problem)}<p class="boot">Reading the job …</p>`;
    const cancel = () => askCancel(this.#app, this.#id, job.model, () => void this.#read());
    return html`<h1><bdi>${job.model}</bdi> ${badge(job.state)}</h1>
      <p class="sub"><code>${job.job_id}</code> · <bdi>${job.client}</bdi> · ${job.route}
        ${job.ended_at === null ? button("Cancel", cancel) : nothing}</p>
      ${problem(this.#problem)}
      <div class="columns">
        ${panel("What became of it", timeline(job, this.#steps, this.#now(job)))}
        ${panel("Figures", figures(job, this.#progress))}
      </div>
      ${answerOf(job)} ${this.#request.draw()}`;
  }

  /** What it does at this moment; null once it has ended. */
  #now(job: JobDocument): string | null {
    if (job.ended_at !== null) return null;
    const { position, reason } = job;
    if (job.state !== "queued") return `for ${duration(ranMs(job))}`;
    const place = position === null ? "" : `place ${count(position)} in its line; `;
    return `${place}${reason ?? "its turn comes"}; starts in ${duration(job.eta_ms)}`;
  }

  async #read(): Promise<void> {
    try {
      this.#job = await this.#app.api.ask<JobDocument>("GET", `../jobs/${this.#id}`);
      this.#problem = null;
    } catch (cause) {
      this.#problem = cause instanceof Error ? cause.message : String(cause);
    }
    this.#app.redraw();
  }

  async #follow(): Promise<void> {
    try {
      const path = `../jobs/${this.#id}/events`;
      await this.#app.api.follow(path, (event) => this.#hear(event), this.#stop.signal);
    } catch {
      // A job that waits on its client's socket has no history: its three times tell it.
    }
  }

  #hear({ text, type }: ServerEvent): void {
    if (type === "state") {
      this.#steps = [...this.#steps, JSON.parse(text)];
      void this.#read();
    } else {
      this.#progress = JSON.parse(text);
      this.#app.redraw();
    }
  }
}

type Step = Pick<JobStateEvent, "state" | "at"> & { readonly words: string };

function timeline(job: JobDocument, told: readonly JobStateEvent[], now: string | null) {
  const steps: readonly Step[] =
    told.length > 0 ? told.map((step) => ({ ...step, words: wordsOf(step) })) : threeTimes(job);
  return html`<ol class="timeline">
    ${steps.map(
      ({ at, state, words }, i) => html`<li>
        ${badge(state)} <time datetime=${at}>${timeOf(at)}</time>
        <span class="took">${tookOf(steps, i)}</span> <span><bdi>${words}</bdi></span>
      </li>`,
    )}
    ${now === null ? nothing : html`<li>${badge("now")} <span><bdi>${now}</bdi></span></li>`}
  </ol>`;
}

function tookOf(steps: readonly Step[], i: number): string {
  const [from, to] = [agoMs(steps[i]?.at ?? null), agoMs(steps[i + 1]?.at ?? null)];
  return from === null || to === null ? "" : duration(from - to);
}

function wordsOf({ attempt, error, why }: JobStateEvent): string {
  const tried = attempt > 1 ? [`attempt ${attempt}`] : [];
  const words = [...tried, why, error?.message].filter((text) => typeof text === "string");
  return [...new Set(words)].join("; ");
}

function threeTimes(job: JobDocument): readonly Step[] {
  const { created_at, ended_at, started_at, state } = job;
  const known: readonly [string, string | null][] = [
    ["queued", created_at],
    ["working", started_at],
    [state, ended_at],
  ];
  return known.flatMap(([name, at]) => (at === null ? [] : [{ state: name, at, words: "" }]));
}

function figures(job: JobDocument, progress: JobProgressEvent | null): TemplateResult {
  const fact = (name: string, value: string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const isRunning = progress !== null && progress.state !== "queued" && job.ended_at === null;
  const tokens = isRunning ? progress.tokens : (job.usage?.completion_tokens ?? null);
  return html`<dl class="facts">
    ${fact("Waited", duration(waitedMs(job)))} ${fact("Ran", duration(ranMs(job)))}
    ${fact("Attempts", count(job.attempts))}
    ${fact("Prompt tokens", count(job.usage?.prompt_tokens ?? null))}
    ${fact("Answer tokens", count(tokens))}
    ${isRunning ? fact("Speed", rate(progress.tokens_per_s)) : nothing}
    ${fact("Class", job.priority)}
    ${job.webhooks_left === null ? nothing : fact("Webhooks left", count(job.webhooks_left))}
  </dl>`;
}

function answerOf(job: JobDocument): TemplateResult | typeof nothing {
  if (job.error !== null) {
    const { code, message } = job.error;
    const words = html`<p class="problem"><b>${code}</b> <bdi>${message ?? ""}</bdi></p>`;
    return panel("Why it did not end well", words);
  }
  if (job.result === null && job.artifacts.length === 0) return nothing;
  const kept = job.artifacts.map(({ bytes: size, name }) => `${name} (${bytes(size)})`).join(", ");
  return panel(
    "Answer",
    html`<pre class="answer" tabindex="0">${job.result ?? "Too long to show."}</pre>`,
    {
      aside: kept,
    },
  );
}
