import { isoTime } from "../../clock.ts";
import { ForemanError } from "../../errors.ts";
import { type JobId, type JobState, type Transition, transitions } from "../../job.ts";
import type { JobChanges } from "../../queue/job-changes.ts";
import { type Store, type StoredJob, transitionsMax } from "../../store/store.ts";
import type { JobProgressEvent, JobStateEvent } from "../../wire/job-events.ts";
import { answer, type Call } from "../call.ts";
import type { EventFeed, PassingEvent, StoredEvent } from "../events/event-feed.ts";
import { eventStreamHeaders } from "../events/event-stream.ts";
import type { EventStreams } from "../events/event-streams.ts";
import { lastEventIdOf } from "../events/last-event-id.ts";
import { findJob } from "./find-job.ts";
import { endView } from "./job-view.ts";

export type JobEventsDeps = {
  readonly store: Store;
  readonly changes: JobChanges;
  readonly eventStreams: EventStreams;
  /** How a job stands at this moment; null for one that neither runs nor waits in memory. */
  readonly progressOf: (id: JobId) => JobProgressEvent | null;
};

/**
 * `GET /jobs/{id}/events`: the states that the job came to, after the one that the client names by
 * Last-Event-ID, then those that it comes to, up to its end.
 *
 * 1. Jobs on a socket have no history: nobody but their client follows them.
 * 2. A number that the history does not have, as after a restored backup, begins it anew.
 * 3. A client that has the end already is told to come no more, which for an EventSource is 204.
 * 4. A job that ended before histories were kept has nothing to tell.
 */
export async function tellJobEvents(call: Call, id: string, deps: JobEventsDeps): Promise<void> {
  const { eventStreams, store } = deps;
  const named = lastEventIdOf(call);
  const job = await findJob(call, id, store);
  // 1.
  if (!job.isDurable) throw noHistory(`job ${id} waits on its client's socket and has no history`);
  // 2.
  const seen = named === 0 ? [] : await store.transitions(job.id, named - 1);
  const after = seen[0]?.n === named ? named : 0;
  if (job.ending !== null) {
    // 3.
    if (after > 0 && seen.length === 1) {
      answer(call, 204, [], "");
      return;
    }
    // 4.
    const isKept = after > 0 || (await store.transitions(job.id, 0)).length > 0;
    if (!isKept) throw noHistory(`job ${id} ended before foreman kept histories; ask /jobs/${id}`);
  }
  if (call.incoming.method === "HEAD") answer(call, 200, eventStreamHeaders, "");
  else eventStreams.open(call, new JobFeed(job, deps), after);
}

function noHistory(message: string): ForemanError {
  return new ForemanError("no_history", message);
}

/** One job's events. */
class JobFeed implements EventFeed {
  readonly #id: JobId;
  readonly #deps: JobEventsDeps;
  /** As told last. */
  #state: JobState;

  constructor({ id, state }: StoredJob, deps: JobEventsDeps) {
    this.#id = id;
    this.#state = state;
    this.#deps = deps;
  }

  follow(poke: () => void): () => void {
    return this.#deps.changes.follow(this.#id, poke);
  }

  async read(after: number) {
    const { store } = this.#deps;
    const found = await store.transitions(this.#id, after);
    const last = found.at(-1);
    if (last === undefined) {
      // Pruned: nothing will ever come.
      return (await store.job(this.#id)) === null ? null : { events: [], hasMore: false };
    }
    this.#state = last.state;
    const job = isEnd(last.state) ? await store.job(this.#id) : null;
    const events = found.map((transition) => stateEvent(this.#id, transition, job));
    return { events, hasMore: found.length === transitionsMax };
  }

  /** Memory runs ahead of the disk: what it says of a state that was not told yet is left out. */
  passing(): PassingEvent | null {
    const document = this.#deps.progressOf(this.#id);
    const isTold = (document?.state === "queued") === (this.#state === "queued");
    return document === null || !isTold ? null : { type: "progress", document };
  }
}

/** `job` is asked of the last one alone; null: it was pruned in between. */
function stateEvent(id: JobId, transition: Transition, job: StoredJob | null): StoredEvent {
  const { atMs, attempt, n, previousState, state, why } = transition;
  const came = { job_id: id, state, previous_state: previousState, attempt, why };
  const isLast = isEnd(state);
  const result_url = state === "done" ? `/jobs/${id}/artifacts/completion` : null;
  const end = isLast ? { ...endView(job?.ending ?? null), result_url } : {};
  const document: JobStateEvent = { ...came, at: isoTime(atMs), ...end };
  return { id: n, type: "state", document, isLast };
}

function isEnd(state: JobState): boolean {
  return transitions[state].length === 0;
}
