import pLimit from "p-limit";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Blueprint, readBlueprint } from "../wire/blueprint.ts";
import { type ShowReply, showReply, type TagsModel } from "../wire/ollama.ts";
import { collect } from "./collect.ts";
import type { Inventory } from "./inventory.ts";
import { Refresher } from "./refresher.ts";
import type { Target } from "./target.ts";

/** Models asked about at once: each costs the target the reading of a file's head, and no GPU. */
const askedAtOnceMax = 2;

/** A healthy Ollama takes some milliseconds, and longer for a file that it has to fetch first. */
const answerMsMax = 10_000;

/** Licence, template and the names of a thousand tensors are 200 kB. */
const answerBytesMax = 4 * 2 ** 20;

/** A manifest that could not be read so often is left alone until the target's version changes. */
const triesMax = 3;

type SurveyorOptions = {
  readonly target: Target;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a load key may mean another runner than before. */
  readonly onLearned: () => void;
};

type Finding =
  | { readonly kind: "blueprint"; readonly blueprint: Blueprint }
  | { readonly kind: "unreadable"; readonly problem: string }
  /** Nobody answered. */
  | { readonly kind: "silence" };

/**
 * Learns what each listed model's runner is made of, from /api/show: once per manifest, and off
 * every request's way. Nobody waits for it.
 */
export class Surveyor {
  readonly #options: SurveyorOptions;
  readonly #log: Log;
  /** By manifest digest, how often it could not be read. */
  readonly #tries = new Map<string, number>();
  #triedVersion: string | null = null;
  #surveyedListings = 0;
  readonly #survey = new Refresher(() => this.#askAll());
  readonly #stop = new AbortController();

  constructor(options: SurveyorOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "surveyor" });
  }

  /** Asks about what is new since the list of models was last surveyed. Never rejects. */
  async survey(): Promise<void> {
    if (this.#options.inventory.listings !== this.#surveyedListings) await this.#survey.refresh();
  }

  /** Cancels what is being asked. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#survey.pending;
  }

  async #askAll(): Promise<void> {
    this.#surveyedListings = this.#options.inventory.listings;
    this.#forgetTries();
    const givenUp: string[] = [];
    let isSilent = false;
    const limit = pLimit(askedAtOnceMax);
    await limit.map(this.#unread(), async (model) => {
      // Who does not answer one question is not asked the others before it was polled again.
      if (isSilent || this.#stop.signal.aborted) return;
      const finding = await this.#ask(model);
      if (finding.kind === "silence") isSilent = true;
      if (this.#take(model, finding) === triesMax) givenUp.push(model.name);
    });
    if (givenUp.length === 0) return;
    this.#log.info({ models: givenUp }, "runners not known by their blobs: names share none");
  }

  /** Takes a finding in; answers how often this manifest could not be read. */
  #take({ digest, name }: TagsModel, finding: Finding): number {
    const { inventory, onLearned } = this.#options;
    const isListed = inventory.find(name)?.digest === digest;
    if (finding.kind === "blueprint" && isListed) {
      const { parameters, weights } = finding.blueprint;
      const facts = { model: name, weights, parameters: Object.fromEntries(parameters) };
      this.#log.debug(facts, "runner learned");
      inventory.learn(digest, finding.blueprint);
      onLearned();
    }
    if (finding.kind !== "unreadable") return 0;
    const tries = (this.#tries.get(digest) ?? 0) + 1;
    this.#log.debug({ model: name, problem: finding.problem, tries }, "runner not readable");
    this.#tries.set(digest, tries);
    return tries;
  }

  /** One model of each manifest whose runner is not known. */
  #unread(): TagsModel[] {
    const { inventory } = this.#options;
    const byDigest = new Map<string, TagsModel>();
    for (const model of inventory.models.values()) {
      const { digest, remote_host: remoteHost } = model;
      const isOver = (this.#tries.get(digest) ?? 0) >= triesMax;
      const hasRunner = digest !== "" && !remoteHost;
      if (hasRunner && !isOver && inventory.blueprint(digest) === null) byDigest.set(digest, model);
    }
    return [...byDigest.values()];
  }

  #forgetTries(): void {
    const { models, version } = this.#options.inventory;
    if (version !== this.#triedVersion) this.#tries.clear();
    this.#triedVersion = version;
    const listed = new Set([...models.values()].map(({ digest }) => digest));
    for (const digest of this.#tries.keys()) if (!listed.has(digest)) this.#tries.delete(digest);
  }

  async #ask(model: TagsModel): Promise<Finding> {
    const { clock, target } = this.#options;
    const answer = await collect(
      target,
      {
        method: "POST",
        path: "/api/show",
        rawHeaders: ["Content-Type", "application/json", "User-Agent", "foreman"],
        body: Buffer.from(JSON.stringify({ model: model.name })),
      },
      {
        bodyBytesMax: answerBytesMax,
        signal: this.#stop.signal,
        limit: { clock, ms: answerMsMax },
      },
    );
    switch (answer.kind) {
      case "failed":
        return { kind: "silence" };
      case "too-large":
        return unreadable(`more than ${answerBytesMax} bytes`);
      case "answer": {
        const { statusCode } = answer.head;
        return statusCode === 200 ? read(answer.body, model) : unreadable(`status ${statusCode}`);
      }
    }
  }
}

function read(body: Buffer, model: TagsModel): Finding {
  const reply = parse(body);
  if (reply === null) return unreadable("not what /api/show answers");
  // The name may have been given to another manifest since it was listed.
  if (!isSameTime(reply.modified_at, model.modified_at)) return unreadable("modified meanwhile");
  const blueprint = readBlueprint(reply);
  return blueprint === null
    ? unreadable("its weights are no blob")
    : { kind: "blueprint", blueprint };
}

function parse(body: Buffer): ShowReply | null {
  try {
    return showReply.safeParse(JSON.parse(body.toString("utf8"))).data ?? null;
  } catch {
    return null;
  }
}

/** Older versions do not tell both. */
function isSameTime(one: string | null | undefined, other: string | null | undefined): boolean {
  return !one || !other || one === other;
}

function unreadable(problem: string): Finding {
  return { kind: "unreadable", problem };
}
