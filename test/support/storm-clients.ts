import { setTimeout as delay } from "node:timers/promises";
import type { History } from "./history.ts";
import type { SeededRandom } from "./sim-ollama/seeded-random.ts";

/** A submission that can be repeated under its key. */
type Keyed = { readonly key: string; readonly body: object };

type JobView = { readonly job_id: string; readonly state: string };

type Deps = {
  readonly url: string;
  readonly history: History;
  readonly random: SeededRandom;
};

const models = ["llama3.2", "llama3.2", "qwen3"];

/** The longest that a client stays with an answer which it means to leave, in ms. */
const staysMsMax = 150;

/** Clients of all kinds, who write into the history what they asked for and what they were told. */
export class StormClients {
  readonly #deps: Deps;
  readonly #ids: string[] = [];
  readonly #keyed: Keyed[] = [];
  readonly #keyedChats: Keyed[] = [];
  #count = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** How many different jobs were asked for. */
  get jobCount(): number {
    return this.#count;
  }

  get acknowledgedCount(): number {
    return new Set(this.#ids).size;
  }

  /** One client does one thing; that the daemon dies meanwhile is no error. */
  async act(): Promise<void> {
    try {
      await this.#act();
    } catch (cause) {
      // fetch says that much of a daemon that is gone, and of an answer that broke off.
      if (!(cause instanceof TypeError) && (cause as Error).name !== "AbortError") throw cause;
    }
  }

  /** Every key once more: each must find its job. For the end, when nobody dies any more. */
  async repeatAll(): Promise<void> {
    for (const keyed of this.#keyed) await this.#submit(keyed.body, keyed.key);
  }

  async #act(): Promise<void> {
    const { random } = this.#deps;
    const dice = random.next(100);
    if (dice < 35) return await this.#submit(this.#body(), null);
    if (dice < 55) return await this.#submitKeyed(this.#newKeyed(this.#keyed));
    if (dice < 65) return await this.#submitKeyed(this.#keyed[random.next(this.#keyed.length)]);
    if (dice < 72) return await this.#chat(this.#newKeyed(this.#keyedChats));
    if (dice < 75) return await this.#chat(this.#keyedChats[random.next(this.#keyedChats.length)]);
    if (dice < 78) return await this.#chat({ key: "", body: this.#chatBody() });
    const id = this.#ids[Math.max(0, this.#ids.length - 1 - random.next(12))];
    if (id === undefined) return;
    await (dice < 90 ? this.#cancel(id) : this.#look(id));
  }

  async #submitKeyed(keyed: Keyed | undefined): Promise<void> {
    if (keyed !== undefined) await this.#submit(keyed.body, keyed.key);
  }

  async #submit(body: object, key: string | null): Promise<void> {
    const { history, url } = this.#deps;
    const text = JSON.stringify(key === null ? body : { ...body, idempotency_key: key });
    history.submits(text);
    const answer = await fetch(`${url}/jobs`, { method: "POST", body: text });
    const told = (await answer.json()) as JobView;
    if (answer.status !== 202) throw new Error(`POST /jobs: ${answer.status} ${told}`);
    history.acknowledged(told.job_id, key);
    this.#ids.push(told.job_id);
  }

  /** A chat on a socket, with a key or without; half of the clients leave in the middle. */
  async #chat(keyed: Keyed | undefined): Promise<void> {
    if (keyed === undefined) return;
    const { history, random, url } = this.#deps;
    const body = JSON.stringify(keyed.body);
    if (keyed.key !== "") history.submits(body);
    const leaving = new AbortController();
    const stays = random.next(2) === 0;
    if (!stays) setTimeout(() => leaving.abort(), random.next(staysMsMax));
    const headers = keyed.key === "" ? {} : { "Idempotency-Key": keyed.key };
    const request = { method: "POST", body, headers, signal: leaving.signal };
    const answer = await fetch(`${url}/api/chat`, request);
    const id = answer.headers.get("x-foreman-job");
    const text = await answer.text();
    if (keyed.key !== "" && id !== null) history.acknowledged(id, keyed.key);
    if (keyed.key !== "" && id !== null && text.includes('"done":true')) history.told(id, "done");
  }

  async #cancel(id: string): Promise<void> {
    const { history, url } = this.#deps;
    history.asksToCancel(id);
    const answer = await fetch(`${url}/jobs/${id}/cancel`, { method: "POST" });
    history.answersCancel(id, ((await answer.json()) as JobView).state);
  }

  async #look(id: string): Promise<void> {
    const { history, url } = this.#deps;
    await delay(this.#deps.random.next(50));
    const answer = await fetch(`${url}/jobs/${id}`);
    history.told(id, ((await answer.json()) as JobView).state);
  }

  #newKeyed(among: Keyed[]): Keyed {
    const body = among === this.#keyed ? this.#body() : this.#chatBody();
    const keyed = { key: `key-${this.#count}`, body };
    among.push(keyed);
    return keyed;
  }

  #body(): object {
    const priority = this.#deps.random.next(3) === 0 ? "batch" : "interactive";
    return { ...this.#chatBody(), priority };
  }

  #chatBody() {
    const { random } = this.#deps;
    this.#count += 1;
    const pace = `[[tokens=${1 + random.next(20)}]] [[token-ms=${random.next(4)}]]`;
    const messages = [{ role: "user", content: `job ${this.#count} ${pace}` }];
    return { model: models[random.next(models.length)], messages };
  }
}
