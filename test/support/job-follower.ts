import { EventSource } from "eventsource";
import { onTestFinished } from "vitest";
import type { JobProgressEvent, JobStateEvent } from "../../src/wire/job-events.ts";

/** A page that follows a job, with an EventSource that comes back by itself; closed with the test. */
export class JobFollower {
  readonly source: EventSource;
  readonly states: (JobStateEvent & { readonly id: string })[] = [];
  readonly progress: JobProgressEvent[] = [];
  /** HTTP statuses other than 200, which end an EventSource. */
  readonly refusals: number[] = [];
  /** How often it connected. */
  opened = 0;

  constructor(url: string, id: string) {
    this.source = new EventSource(`${url}/jobs/${id}/events`);
    onTestFinished(() => this.source.close());
    this.source.onopen = () => {
      this.opened += 1;
    };
    this.source.onerror = ({ code }) => {
      if (code !== undefined) this.refusals.push(code);
    };
    this.source.addEventListener("state", ({ data, lastEventId }) => {
      this.states.push({ ...(JSON.parse(data) as JobStateEvent), id: lastEventId });
    });
    this.source.addEventListener("progress", ({ data }) => {
      this.progress.push(JSON.parse(data) as JobProgressEvent);
    });
  }

  /** The states that were told, in order. */
  get told(): string[] {
    return this.states.map(({ state }) => state);
  }

  get ids(): number[] {
    return this.states.map(({ id }) => Number(id));
  }

  /** It will not come back any more. */
  get isClosed(): boolean {
    return this.source.readyState === this.source.CLOSED;
  }
}
