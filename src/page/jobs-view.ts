import { html, nothing } from "lit-html";
import type { z } from "zod";
import type { JobDocument, jobList } from "../wire/jobs.ts";
import type { App, View } from "./app.ts";
import { duration, shortId } from "./format.ts";
import { ListReader } from "./list-reader.ts";
import { askCancel } from "./now-view.ts";
import { agoMs, timeOf } from "./page-clock.ts";
import { pager } from "./pager.ts";
import { badge, button, type Cell, panel, problem, table } from "./pieces.ts";

type JobList = z.output<typeof jobList>;

const states = ["queued", "loading", "working", "done", "failed", "cancelled"];
const pageJobs = 50;
const refreshMs = 3_000;

/** All jobs, newest first, by state, model and client; the address keeps the filter. */
export function openJobs(app: App, query: URLSearchParams): View {
  const reader = new ListReader<JobList>(app.api, pathOf(query), {
    ...{ onChange: app.redraw, refreshMs },
  });
  const onFilter = (event: Event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    if (target.value.trim() === "") query.delete(target.name);
    else query.set(target.name, target.value.trim());
    history.replaceState(null, "", `#/jobs?${query}`);
    void reader.look(pathOf(query));
  };
  const filter = (name: string) => html`<label>
    ${name}
    <input name=${name} .value=${query.get(name) ?? ""} autocomplete="off" spellcheck="false" />
  </label>`;
  return {
    title: "jobs",
    close: () => reader.close(),
    draw: () => html`<h1>Jobs</h1>
      <form class="filters" @change=${onFilter} @submit=${(event: Event) => event.preventDefault()}>
        <label>
          state
          <select name="state">
            <option value="">any</option>
            ${states.map(
              (state) => html`<option ?selected=${query.get("state") === state}>${state}</option>`,
            )}
          </select>
        </label>
        ${filter("model")} ${filter("client")}
      </form>
      ${problem(reader.problem)}
      ${panel("Newest first", jobsTable(app, reader), { kind: "wide" })}
      ${pager(reader, "Pages of jobs")}`,
  };
}

function jobsTable(app: App, reader: ListReader<JobList>) {
  const heads = [
    { head: "State" },
    { head: "Model" },
    { head: "Who" },
    { head: "Came" },
    { head: "Waited", isFigure: true },
    { head: "Ran", isFigure: true },
    { head: "What to know" },
    { head: "" },
  ];
  const jobs = reader.page?.jobs ?? [];
  const rows = jobs.map((job): readonly Cell[] => [
    badge(job.state),
    html`<a class="model" href="#/jobs/${job.job_id}"
      ><bdi>${job.model}</bdi></a
    >`,
    html`${badge(job.priority)} <bdi>${job.client}</bdi>`,
    timeOf(job.created_at),
    duration(waitedMs(job)),
    duration(ranMs(job)),
    html`<span class="why"><bdi>${toKnow(job)}</bdi></span>`,
    job.ended_at === null
      ? button("Cancel", () => askCancel(app, job.job_id, job.model, () => void reader.read()), {
          kind: "quiet",
          label: `Cancel the job ${shortId(job.job_id)}`,
        })
      : nothing,
  ]);
  return table("Jobs", heads, rows, reader.page === null ? "Reading …" : "No job fits.");
}

function toKnow({ error, reason }: JobDocument): string {
  return error?.message ?? error?.code ?? reason ?? "";
}

/** From its coming to its (last) start, or until now. */
export function waitedMs({ created_at, ended_at, started_at }: JobDocument): number | null {
  return spanMs(created_at, started_at ?? ended_at);
}

export function ranMs({ ended_at, started_at }: JobDocument): number | null {
  return started_at === null ? null : spanMs(started_at, ended_at);
}

function spanMs(from: string | null, to: string | null): number | null {
  const since = agoMs(from);
  if (since === null) return null;
  return since - (agoMs(to) ?? 0);
}

function pathOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: String(pageJobs) });
  for (const name of ["state", "model", "client"]) {
    const value = query.get(name);
    if (value !== null) asked.set(name, value);
  }
  return `../jobs?${asked}`;
}
