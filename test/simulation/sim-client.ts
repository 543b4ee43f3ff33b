// What the clients of one world do, over HTTP: they submit, listen, leave, cancel, and ask again
// with their key until they are answered; some of them err first.
import { createHash } from "node:crypto";
import type { JobId } from "../../src/job.ts";
import { againMs, bearer, type ClientDeps, isTurnedAway } from "./as-client.ts";
import type { Life } from "./life.ts";
import type { RequestPlan } from "./plan.ts";
import { follow } from "./sim-follower.ts";
import { receivers } from "./sim-receivers.ts";
import { models } from "./sim-target.ts";
import type { Exchange } from "./sim-wire.ts";

/** Of the jobs that nobody waits for so many have a follower. */
const followedMod = 4;

/** What becomes of a wait. */
type Heard = "over" | "gone" | "left";

export class SimClient {
  readonly #deps: ClientDeps;
  readonly #number: number;
  readonly #name: string;
  readonly #plan: RequestPlan;
  readonly #body: string;
  /** Virtual ms at which it leaves. */
  #leavesAtMs = Number.POSITIVE_INFINITY;
  #isContent = false;

  constructor(number: number, plan: RequestPlan, deps: ClientDeps) {
    this.#number = number;
    this.#name = `r${number}`;
    this.#plan = plan;
    this.#deps = deps;
    this.#body = bodyOf(number, plan);
    const bodyHash = createHash("sha256").update(this.#body).digest("hex");
    deps.referee.expects(this.#name, bodyHash);
  }

  /** Resolves when it wants nothing more. */
  async run(): Promise<void> {
    const { clock } = this.#deps;
    const { atMs, leaveAfterMs, way } = this.#plan;
    await clock.sleep(atMs);
    if (leaveAfterMs !== null) this.#leavesAtMs = clock.monotonicMs() + leaveAfterMs;
    this.#note(`comes: ${way}`);
    await this.#err();
    void this.#cancelLater();
    if (way === "chat") await this.#chat();
    else if (way === "keyed") await this.#keyed();
    else await this.#submit();
    this.#isContent = true;
    this.#note("is content");
  }

  async #chat(): Promise<void> {
    const { clock, referee } = this.#deps;
    for (;;) {
      const life = await this.#serving();
      if (this.#hasLeft) return;
      referee.joined(this.#name, life.number);
      const exchange = this.#ask(life, "/api/chat");
      const heard = await this.#hear(exchange, life);
      if (heard === "over" && isTurnedAway(exchange)) {
        referee.turnedAway(this.#name);
        await clock.sleep(againMs);
        continue;
      }
      referee.heard(this.#name, exchange);
      return;
    }
  }

  async #keyed(): Promise<void> {
    const { clock, referee } = this.#deps;
    const key = { "Idempotency-Key": `key ${this.#number}` };
    while (!this.#hasLeft) {
      const life = await this.#serving();
      const exchange = this.#ask(life, "/api/chat", key);
      const heard = await this.#hear(exchange, life);
      const id = exchange.headers["x-foreman-job"];
      if (typeof id === "string") referee.acknowledged(this.#name, id as JobId, true);
      referee.heard(this.#name, exchange);
      if (heard === "left" || (heard === "over" && !isTurnedAway(exchange))) return;
      await clock.sleep(againMs);
    }
  }

  async #submit(): Promise<void> {
    const { clock, referee } = this.#deps;
    const hasKey = this.#plan.way === "job";
    for (;;) {
      const life = await this.#serving();
      const exchange = this.#ask(life, "/jobs");
      await Promise.race([exchange.over.promise, life.over.promise]);
      const id = exchange.document?.job_id;
      if (exchange.statusCode === 202 && typeof id === "string") {
        referee.acknowledged(this.#name, id as JobId, hasKey);
        if (this.#number % followedMod === 0) await this.#follow(id as JobId);
        return;
      }
      this.#note(`hears: ${exchange.statusCode ?? "nothing"}`);
      // Without a key it cannot know whether it was taken in, and must not ask twice.
      if (exchange.statusCode === null && !hasKey) return;
      await clock.sleep(againMs);
    }
  }

  async #follow(id: JobId): Promise<void> {
    const { client } = this.#plan;
    const states = await follow(id, { ...this.#deps, client, name: this.#name });
    this.#deps.referee.followed(this.#name, id, states);
  }

  /** Somebody cancels it; a job on a socket in the life that it joined, or not at all. */
  async #cancelLater(): Promise<void> {
    const { clock, referee } = this.#deps;
    const { cancelAfterMs, client, way } = this.#plan;
    if (cancelAfterMs === null) return;
    await clock.sleep(cancelAfterMs);
    for (;;) {
      const life = await this.#serving();
      const id = referee.idOf(this.#name);
      if (id === null && this.#isContent) return;
      if (id !== null) {
        referee.asksToCancel(this.#name);
        const path = `/jobs/${id}/cancel`;
        const other = life.ask({ method: "POST", path, headers: bearer(1 - client) });
        const exchange = life.ask({ method: "POST", path, headers: bearer(client) });
        await Promise.race([exchange.over.promise, life.over.promise]);
        const { statusCode } = exchange;
        this.#note(`cancelled: ${statusCode} ${String(exchange.document?.state)}`);
        if (other.statusCode !== null && statusCode === 200) {
          const isHidden = other.statusCode === 404;
          if (!isHidden) referee.violated(`${this.#name} is shown to others`);
        }
        if (statusCode === 200 && way !== "chat") {
          referee.cancelAnswered(this.#name, id, String(exchange.document?.state));
        }
        if (statusCode === 200 || (way === "chat" && this.#isContent)) return;
      }
      await clock.sleep(againMs);
    }
  }

  /** A request that is wrong is answered so, and leaves nothing behind. */
  async #err(): Promise<void> {
    const error = errors[this.#number % (4 * errors.length)];
    if (error === undefined) return;
    const life = await this.#serving();
    const { body, headers, statusCode } = error;
    const exchange = life.ask({ method: "POST", path: "/jobs", body, headers });
    await Promise.race([exchange.over.promise, life.over.promise]);
    const { statusCode: heard } = exchange;
    const isTold = heard === statusCode && typeof exchange.document?.error === "string";
    if (isTold || heard === null) return;
    this.#deps.referee.violated(`an error that is ${statusCode} was answered ${heard}`);
  }

  #ask(life: Life, path: string, headers: Readonly<Record<string, string>> = {}): Exchange {
    const own = bearer(this.#plan.client);
    return life.ask({ method: "POST", path, headers: { ...own, ...headers }, body: this.#body });
  }

  async #serving(): Promise<Life> {
    for (;;) {
      const life = this.#deps.life();
      if (life?.isServing) return life;
      await this.#deps.clock.sleep(againMs);
    }
  }

  async #hear(exchange: Exchange, life: Life): Promise<Heard> {
    const enough = new AbortController();
    const patienceMs = Math.max(0, this.#leavesAtMs - this.#deps.clock.monotonicMs());
    const left = Number.isFinite(patienceMs)
      ? this.#deps.clock.sleep(patienceMs, enough.signal).then((): Heard => "left")
      : new Promise<Heard>(() => {});
    const heard = await Promise.race([life.over.promise, exchange.over.promise, left]);
    enough.abort("heard");
    if (heard === "left") exchange.leave();
    this.#note(`hears: ${heard} ${exchange.statusCode ?? "nothing"}`);
    return heard;
  }

  get #hasLeft(): boolean {
    return this.#deps.clock.monotonicMs() >= this.#leavesAtMs;
  }

  #note(what: string): void {
    this.#deps.note(`client: ${this.#name} ${what}`);
  }
}

/** What is wrong with some first requests, and how that is told. */
const errors = [
  { statusCode: 401, headers: {}, body: "{}" },
  { statusCode: 401, headers: { Authorization: "Bearer fm_nobody" }, body: "{}" },
  { statusCode: 400, headers: bearer(0), body: '{"model":' },
  { statusCode: 400, headers: bearer(1), body: '{"model":"ant","messages":[],"priority":"now"}' },
];

function bodyOf(number: number, plan: RequestPlan): string {
  const { class: priority, hook, model, way } = plan;
  const messages = [{ role: "user", content: `r${number}` }];
  const chat = { model: models[model]?.name, messages };
  if (way !== "job" && way !== "unkeyed-job") return JSON.stringify(chat);
  const key = way === "job" ? { idempotency_key: `key ${number}` } : {};
  const url = hook === null ? {} : { state_webhook_url: `http://${receivers[hook]}/r${number}` };
  return JSON.stringify({ ...chat, ...key, ...url, priority });
}
