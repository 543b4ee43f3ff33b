import { html, nothing, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { jobList } from "../wire/jobs.ts";
import type { Status } from "../wire/status.ts";
import type { App } from "./app.ts";
import { count, duration, plural } from "./format.ts";
import { every, timeOf } from "./page-clock.ts";
import { badge, panel } from "./pieces.ts";

type JobList = z.output<typeof jobList>;

const refreshMs = 5_000;
const jobsShown = 5;

type Matter = { readonly tone: string; readonly words: TemplateResult };

/** What went wrong today: the target, what hangs, what is not told, and the jobs that failed. */
export class Trouble {
  readonly #app: App;
  readonly #stop: () => void;
  #failed: JobList["jobs"] = [];

  constructor(app: App) {
    this.#app = app;
    this.#stop = every(refreshMs, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#stop();
  }

  /** Matters that stand, and jobs that failed within 24 hours. */
  sum(status: Status): number {
    return matters(status).length + status.today.jobs.failed;
  }

  draw(status: Status): TemplateResult {
    const found = matters(status);
    const { failed } = status.today.jobs;
    const isCalm = found.length === 0 && failed === 0;
    const jobs = failed === 0 ? [] : this.#failed;
    return panel(
      "Trouble",
      isCalm
        ? html`<p class="empty">Nothing is wrong, and nothing failed within a day.</p>`
        : html`<ul class="matters">
            ${found.map(({ tone, words }) => html`<li>${badge(tone)} <span>${words}</span></li>`)}
            ${jobs.map(
              (job) => html`<li>
                ${badge("failed")}
                <span>
                  <a href="#/jobs/${job.job_id}"><bdi>${job.model}</bdi></a>
                  of <bdi>${job.client}</bdi>, ${timeOf(job.ended_at)}:
                  <bdi>${job.error?.message ?? job.error?.code ?? "no cause was kept"}</bdi>
                </span>
              </li>`,
            )}
          </ul>`,
      {
        aside:
          failed === 0
            ? nothing
            : html`<a href="#/jobs?state=failed">${plural(failed, "failed job")}</a>`,
        kind: isCalm ? "trouble calm" : "trouble",
      },
    );
  }

  async #read(): Promise<void> {
    try {
      const path = `../jobs?state=failed&limit=${jobsShown}`;
      this.#failed = (await this.#app.api.ask<JobList>("GET", path)).jobs;
      this.#app.redraw();
    } catch {
      // The head of the page tells that foreman is not reached; these are read again.
    }
  }
}

function matters(status: Status): readonly Matter[] {
  const { draining, stalls, target, watchdog, webhooks } = status;
  const found: Matter[] = [];
  if (target.away_ms !== null) {
    const words = html`Ollama is away, ${duration(target.away_ms)} by now. Work waits for it.
      <bdi>${target.last_error ?? ""}</bdi>`;
    found.push({ tone: "away", words });
  }
  if (draining) found.push({ tone: "paused", words: html`Draining: no new work is taken.` });
  if (stalls.last !== null) {
    const { at, job_id, model } = stalls.last;
    const words = html`${plural(stalls.count, "generation")} hung; the last on
      <a href="#/jobs/${job_id}"><bdi>${model}</bdi></a>, ${timeOf(at)}.`;
    found.push({ tone: "degraded", words });
  }
  for (const { model, percent, problems, state, step } of watchdog) {
    if (state === "present") continue;
    const how =
      step === null ? html`<bdi>${problems.join("; ")}</bdi>` : `${step}, ${percent ?? 0} %`;
    found.push({ tone: state, words: html`The required model <bdi>${model}</bdi>: ${how}` });
  }
  for (const { failures, last_error, receiver } of webhooks.failing) {
    const words = html`The webhook <bdi>${receiver}</bdi> failed ${count(failures)} times:
      <bdi>${last_error}</bdi>`;
    found.push({ tone: "degraded", words });
  }
  return found;
}
