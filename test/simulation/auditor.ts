// Asks a daemon with nothing to do what it knows, and holds that against its disk and the target.

import { bearer } from "./as-client.ts";
import type { Life } from "./life.ts";
import { clients } from "./life.ts";
import type { SimDisk, SimRow } from "./sim-disk.ts";
import type { Start } from "./sim-target.ts";

type AuditorDeps = {
  readonly life: Life;
  readonly disk: SimDisk;
  readonly starts: readonly Start[];
  /** Whether the job is an item's, whose batch's client asks for it. */
  readonly isItem: (id: string) => boolean;
};

const operator = clients.length - 1;

/** To ask for each would be a third of all that is asked. */
const sampledMod = 3;

export class Auditor {
  readonly #deps: AuditorDeps;
  readonly #found: string[] = [];

  constructor(deps: AuditorDeps) {
    this.#deps = deps;
  }

  /** What is wrong. */
  async audit(): Promise<readonly string[]> {
    const { disk, isItem } = this.#deps;
    const jobs = disk.rows.filter(
      ({ arrival, id, isDurable }) => isDurable && !isItem(id) && arrival % sampledMod === 0,
    );
    await Promise.all([this.#status(), ...jobs.map((row) => this.#job(row))]);
    return this.#found;
  }

  async #status(): Promise<void> {
    const status = await this.#read("/foreman/status");
    const { running, waiting } = status.document ?? {};
    const isClean = JSON.stringify([running, waiting]) === "[[],[]]";
    if (!isClean) this.#found.push(`its status with nothing to do: ${status.text}`);
  }

  async #job({ id, attempts, state }: SimRow): Promise<void> {
    const { document } = await this.#read(`/jobs/${id}`);
    const isTrue = document?.state === state && document.attempts === attempts;
    if (!isTrue) this.#found.push(`it tells ${JSON.stringify(document)} of a job that is ${state}`);
    if (state !== "done") return;
    const { statusCode, text } = await this.#read(`/jobs/${id}/artifacts/response`);
    const isSent = this.#deps.starts.some((start) => start.text === text);
    if (statusCode !== 200 || !isSent) this.#found.push(`I3 it keeps what nobody sent: ${text}`);
  }

  async #read(path: string) {
    const exchange = this.#deps.life.ask({ path, headers: bearer(operator) });
    await exchange.over.promise;
    return exchange;
  }
}
