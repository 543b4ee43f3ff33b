import { html, nothing, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { jobList } from "../wire/jobs.ts";
import type { batchList } from "../wire/runtime-answers.ts";
import type { Status } from "../wire/status.ts";
import type { App } from "./app.ts";
import { count, duration, plural } from "./format.ts";
import { agoMs, every, timeOf } from "./page-clock.ts";
import { badge, drainWords, panel } from "./pieces.ts";

type JobList = z.output<typeof jobList>;
type BatchList = z.output<typeof batchList>;

const refreshMs = 5_000;
const jobsShown = 5;

/** Among so many of the newest, those with failed items are looked for. */
const batchesRead = 50;
const batchesShown = 5;

const dayMs = 86_400_000;

/** Something that is wrong, in a few words for the headline, and as its line tells it. */
type Matter = {
  readonly tone: string;
  readonly short: string;
  readonly words: TemplateResult;
};

/** So many are named in the headline; more are counted. */
const namedMax = 2;

/** What is wrong, and what failed within a day: jobs, and items of batches. */
export class Trouble {
  readonly #app: App;
  readonly #stop: () => void;
  #jobs: JobList["jobs"] = [];
  #batches: BatchList["jobs"] = [];

  constructor(app: App) {
    this.#app = app;
    this.#stop = every(refreshMs, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#stop();
  }

  draw(status: Status): TemplateResult {
    const found = matters(status);
    const isCalm = wrongWords(status) === "";
    return panel(
      "Trouble",
      isCalm
        ? html`<p class="empty">Nothing is wrong, and nothing failed within a day.</p>`
        : html`<ul class="matters">
            ${found.map(({ tone, words }) => html`<li>${badge(tone)} <span>${words}</span></li>`)}
            ${this.#batches.filter(isOfToday).slice(0, batchesShown).map(batchLine)}
            ${this.#jobs.filter(isOfToday).map(jobLine)} ${chatsLine(status.today.chats)}
          </ul>`,
      { aside: failedLinks(status), kind: isCalm ? "trouble calm" : "trouble" },
    );
  }

  async #read(): Promise<void> {
    const { api, redraw } = this.#app;
    try {
      const [jobs, batches] = await Promise.all([
        api.ask<JobList>("GET", `../jobs?state=failed&limit=${jobsShown}`),
        api.ask<BatchList>("GET", `../api/runtime/llm/jobs?limit=${batchesRead}`),
      ]);
      this.#jobs = jobs.jobs;
      this.#batches = batches.jobs.filter(({ failed_count }) => failed_count > 0);
      redraw();
    } catch {
      // The head of the page tells that foreman is not reached; these are read again.
    }
  }
}

/** What stands and what failed within a day, in some words; empty if there is nothing. */
export function wrongWords(status: Status): string {
  const now = matters(status).map(({ short }) => short);
  const stands = now.length > namedMax ? [`${plural(now.length, "thing")} are wrong`] : now;
  const failed = failedWords(status);
  return [...stands, ...(failed === "" ? [] : [`${failed} within a day`])].join("; ");
}

/** What failed within a day, and the room that lists it. */
function failures({ today: { chats, items, jobs } }: Status) {
  const all = [
    { href: "#/jobs?state=failed", failed: jobs.failed, words: plural(jobs.failed, "job") },
    {
      href: "#/batches",
      failed: items.failed,
      words: plural(items.failed, "item of a batch", "items of batches"),
    },
    {
      href: "#/controls",
      failed: chats.failed,
      words: plural(chats.failed, "runtime chat"),
    },
  ];
  return all.filter(({ failed }) => failed > 0);
}

function failedWords(status: Status): string {
  const parts = failures(status).map(({ words }) => words);
  return parts.length === 0 ? "" : `${parts.join(" and ")} failed`;
}

function failedLinks(status: Status): TemplateResult | typeof nothing {
  const links = failures(status).map(
    ({ href, words }, i) => html`${i === 0 ? nothing : " and "}<a href=${href}>${words}</a>`,
  );
  return links.length === 0 ? nothing : html`${links} failed`;
}

/** A batch that goes on may have failed at any time. */
function isOfToday({ ended_at }: { readonly ended_at: string | null }): boolean {
  return (agoMs(ended_at) ?? 0) < dayMs;
}

function jobLine(job: JobList["jobs"][number]): TemplateResult {
  return html`<li>
    ${badge("failed")}
    <span>
      <a href="#/jobs/${job.job_id}"><bdi>${job.model}</bdi></a>
      of <bdi>${job.client}</bdi>, ${timeOf(job.ended_at)}:
      <bdi>${job.error?.message ?? job.error?.code ?? "no cause was kept"}</bdi>
    </span>
  </li>`;
}

/** Of a chat nothing is stored; its provider remembers the last failure. */
function chatsLine({ failed }: Status["today"]["chats"]): TemplateResult | typeof nothing {
  if (failed === 0) return nothing;
  return html`<li>
    ${badge("failed")}
    <span>${plural(failed, "runtime chat")}; <a href="#/controls">Controls</a> has each
      provider's last error.</span>
  </li>`;
}

function batchLine(batch: BatchList["jobs"][number]): TemplateResult {
  return html`<li>
    ${badge("failed")}
    <span>
      <a href="#/batches/${batch.job_id}"><bdi>${batch.job_type}</bdi></a>
      of ${plural(batch.submitted_count, "item")}: ${count(batch.failed_count)} failed.
      <bdi>${batch.failure_reason ?? ""}</bdi>
    </span>
  </li>`;
}

function matters(status: Status): readonly Matter[] {
  const { drain, draining, stalls, target, watchdog, webhooks } = status;
  const found: Matter[] = [];
  if (target.away_ms !== null) {
    const words = html`Ollama is away, ${duration(target.away_ms)} by now. Work waits for it.
      <bdi>${target.last_error ?? ""}</bdi>`;
    found.push({ tone: "away", short: "Ollama is away", words });
  }
  if (draining) {
    const words = drain === null ? html`Foreman stops: no new work is taken.` : drainWords(drain);
    found.push({ tone: "paused", short: "New work is refused", words });
  }
  if (stalls.last !== null && (agoMs(stalls.last.at) ?? 0) < dayMs) {
    const { at, job_id, model } = stalls.last;
    const words = html`${plural(stalls.count, "generation")} hung since the start; the last on
      <a href="#/jobs/${job_id}"><bdi>${model}</bdi></a>, ${timeOf(at)}.`;
    found.push({ tone: "degraded", short: "Generations hung", words });
  }
  for (const { model, percent, problems, state, step } of watchdog) {
    if (state === "present") continue;
    const how =
      step === null ? html`<bdi>${problems.join("; ")}</bdi>` : `${step}, ${percent ?? 0} %`;
    const words = html`The required model <bdi>${model}</bdi>: ${how}`;
    found.push({ tone: state, short: `The model ${model} is ${state}`, words });
  }
  for (const { failures, last_error, receiver } of webhooks.failing) {
    const words = html`The webhook <bdi>${receiver}</bdi> failed ${count(failures)} times:
      <bdi>${last_error}</bdi>`;
    found.push({ tone: "degraded", short: "A webhook fails", words });
  }
  return found;
}
