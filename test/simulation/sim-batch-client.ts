// Who submits a batch of the runtime-LLM API, looks at it until it has ended, and reads its results.

import { againMs, bearer, type ClientDeps, isTurnedAway } from "./as-client.ts";
import type { BatchPlan } from "./plan.ts";
import { models } from "./sim-target.ts";
import type { Asked, Exchange } from "./sim-wire.ts";

type Counts = Readonly<Record<(typeof counts)[number], number>>;

type View = Counts & { readonly job_id: string; readonly status: string };

type Result = {
  readonly request_id: string;
  readonly status: string;
  readonly content: string | null;
  readonly json?: unknown;
  readonly error: { readonly code: string } | null;
  readonly approval: { readonly state: string } | null;
};

const counts = [
  ...(["submitted_count", "queued_count", "running_count"] as const),
  ...(["completed_count", "failed_count", "cancelled_count"] as const),
];

/** How often it looks. */
const lookMs = 3_000;

/** Results in a page. */
const pageItems = 7;

const api = "/api/runtime/llm";

export class SimBatchClient {
  readonly #deps: ClientDeps;
  readonly #name: string;
  readonly #plan: BatchPlan;
  #endedMax = 0;

  constructor(number: number, plan: BatchPlan, deps: ClientDeps) {
    this.#name = `b${number}`;
    this.#plan = plan;
    this.#deps = deps;
  }

  /** Resolves when it wants nothing more. */
  async run(): Promise<void> {
    const { cancelAfterMs, isRetried, needsApproval } = this.#plan;
    await this.#deps.clock.sleep(this.#plan.atMs);
    const id = await this.#submit();
    this.#note(`is taken: ${this.#plan.items} items`);
    const cancelled = cancelAfterMs === null ? null : this.#cancel(id, cancelAfterMs);
    let view = await this.#ended(id);
    if (isRetried && view.failed_count > 0) view = await this.#retry(id);
    await cancelled;
    view = await this.#ended(id);
    this.#demand((await this.#submit()) === id, "I9", "its key has another batch");
    const results = await this.#results(id);
    this.#judge(view, results);
    if (needsApproval) await this.#approve(id, results);
    this.#note("is content");
  }

  async #submit(): Promise<string> {
    const { client, garbled, items, model, needsApproval } = this.#plan;
    const body = JSON.stringify({
      ...{ provider: "ollama", model: models[model]?.name, job_type: "simulated" },
      requires_approval: needsApproval,
      items: Array.from({ length: items }, (_, at) => ({
        request_id: `${this.#name}.${at}`,
        messages: [{ role: "user", content: `${this.#name}.${at}` }],
        ...(garbled !== null && { response_format: "json" }),
      })),
    });
    const headers = { ...bearer(client), "Idempotency-Key": `batch ${this.#name}` };
    const { document, statusCode, text } = await this.#ask({
      ...{ method: "POST", path: `${api}/batch`, headers, body },
    });
    this.#demand(statusCode === 202, "B4", `it was refused: ${text}`);
    return String(document?.job_id);
  }

  async #ended(id: string): Promise<View> {
    for (;;) {
      const view = await this.#look(id);
      if (view.queued_count + view.running_count === 0) return view;
      await this.#deps.clock.sleep(lookMs);
    }
  }

  async #look(id: string): Promise<View> {
    const { document, text } = await this.#ask({ path: `${api}/jobs/${id}` });
    const view = document as View;
    const [submitted, ...others] = counts.map((name) => view[name]);
    const sum = others.reduce((total, count) => total + count, 0);
    const isWhole = submitted === this.#plan.items && sum === submitted;
    this.#demand(isWhole, "B1", `its counters: ${text}`);
    const ended = view.completed_count + view.failed_count + view.cancelled_count;
    this.#demand(
      ended >= this.#endedMax,
      "B1",
      `only ${ended} have ended, after ${this.#endedMax}`,
    );
    this.#endedMax = ended;
    return view;
  }

  async #cancel(id: string, afterMs: number): Promise<void> {
    const { clock, referee } = this.#deps;
    await clock.sleep(afterMs);
    referee.asksToCancel(this.#name);
    const path = `${api}/jobs/${id}/cancel`;
    const view = (await this.#ask({ method: "POST", path })).document as View;
    this.#note(`cancelled: ${view.status}`);
    const left = view.queued_count + view.running_count;
    this.#demand(left === 0, "I7", `its cancel was answered, and ${left} items are left`);
    if (view.status === "cancelled") referee.batchCancelAnswered(this.#name);
  }

  async #retry(id: string): Promise<View> {
    this.#endedMax = 0;
    const exchange = await this.#ask({ method: "POST", path: `${api}/jobs/${id}/retry` });
    const isKnown = exchange.statusCode === 200 || exchange.document?.code === "batch_cancelled";
    this.#demand(isKnown, "B4", `its retry was answered: ${exchange.text}`);
    this.#note(`retried: ${String(exchange.document?.retried)}`);
    return await this.#ended(id);
  }

  async #results(id: string): Promise<readonly Result[]> {
    const results: Result[] = [];
    let after = 0;
    while (results.length <= this.#plan.items) {
      const path = `${api}/jobs/${id}/results?limit=${pageItems}&after=${after}`;
      const page = (await this.#ask({ path })).document as { next: number; results: Result[] };
      results.push(...page.results);
      if (page.next === null) break;
      after = page.next;
    }
    return results;
  }

  #judge(view: View, results: readonly Result[]): void {
    const { garbled, items } = this.#plan;
    const ids = results.map(({ request_id }) => request_id).join();
    const expected = Array.from({ length: items }, (_, at) => `${this.#name}.${at}`).join();
    this.#demand(ids === expected, "B2", `its results are of ${ids}`);
    for (const status of ["completed", "failed", "cancelled"] as const) {
      const count = results.filter((result) => result.status === status).length;
      this.#demand(view[`${status}_count`] === count, "B1", `${count} items are ${status}`);
    }
    for (const { content, error, json, request_id: name, status } of results) {
      const isDone = status === "completed";
      const isOwnFault = error?.code === "internal";
      this.#demand(
        isDone === (error === null) && !isOwnFault,
        "B2",
        `${name} is ${status} with ${error?.code}`,
      );
      if (!isDone) continue;
      const isSaid = content !== null && this.#deps.referee.wasSaid(name, content);
      this.#demand(isSaid, "I3", `${name} has what no generation said: ${content}`);
      const isJson = json !== undefined && JSON.stringify(json) === content?.trim();
      this.#demand(isJson || garbled === null, "B2", `${name} was to be JSON: ${content}`);
    }
  }

  /** Of two results that wait for it one is approved, and one rejected. */
  async #approve(id: string, results: readonly Result[]): Promise<void> {
    const pending = results.filter(({ status }) => status === "completed");
    const isPending = pending.every(({ approval }) => approval?.state === "pending");
    this.#demand(isPending, "B5", "a result does not wait for approval");
    const verdicts = ["approve", "reject"].slice(0, pending.length);
    for (const [at, verdict] of verdicts.entries()) {
      const path = `${api}/jobs/${id}/results/${pending[at]?.request_id}/${verdict}`;
      await this.#ask({ method: "POST", path });
      const again = await this.#ask({ method: "POST", path });
      this.#demand(again.statusCode === 409, "B5", `a second verdict was ${again.statusCode}`);
    }
    const path = `${api}/jobs/${id}/results?approval=approved`;
    const approved = ((await this.#ask({ path })).document as { results: Result[] }).results;
    const isApproved = approved.length === Math.min(1, pending.length);
    this.#demand(isApproved, "B5", `${approved.length} results are approved`);
  }

  /** Asks until it is answered. */
  async #ask(asked: Asked): Promise<Exchange> {
    const { clock } = this.#deps;
    for (;;) {
      const life = this.#deps.life();
      if (life?.isServing) {
        const exchange = life.ask({ headers: bearer(this.#plan.client), ...asked });
        await Promise.race([exchange.over.promise, life.over.promise]);
        if (exchange.isEnded && !isTurnedAway(exchange)) return exchange;
      }
      await clock.sleep(againMs);
    }
  }

  #demand(holds: boolean, rule: string, otherwise: string): void {
    if (!holds) this.#deps.referee.violated(`${rule} ${this.#name}: ${otherwise}`);
  }

  #note(what: string): void {
    this.#deps.note(`client: ${this.#name} ${what}`);
  }
}
