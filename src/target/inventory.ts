import type { z } from "zod";
import type { Blueprint } from "../wire/blueprint.ts";
import { type PsModel, psReply, type TagsModel, tagsReply, versionReply } from "../wire/ollama.ts";
import { canonicalInventoryName, canonicalModelName } from "./model-name.ts";

/** The routes that are polled, and served from here byte for byte. */
export const polledRoutes = ["/api/version", "/api/tags", "/api/ps", "/v1/models"] as const;

export type PolledRoute = (typeof polledRoutes)[number];

/** One reply of the target, as it sent it. */
export type PolledReply = { readonly contentType: string; readonly body: Buffer };

/**
 * The last that is known of the target: what it has, what it holds loaded, and whether it is there.
 * Replies are kept while the target is away, and replaced only by replies that make sense.
 */
export class Inventory {
  readonly #required: ReadonlySet<string | null>;
  readonly #replies = new Map<PolledRoute, PolledReply>();
  #models: ReadonlyMap<string, TagsModel> = new Map();
  #loaded: readonly PsModel[] = [];
  /** By manifest digest; of listed models alone. */
  readonly #blueprints = new Map<string, Blueprint>();
  #runnersRevision = 0;
  #version: string | null = null;
  #revision = 0;
  #isForgotten = false;
  #listings = 0;
  #loadedReadings = 0;

  /** `required`: the names of models that the target shall always have. */
  constructor(required: readonly string[] = []) {
    this.#required = new Set(required.map(canonicalModelName));
  }

  /** The stored reply to a polled route, or null if the target never gave one. */
  reply(route: PolledRoute): PolledReply | null {
    return this.#replies.get(route) ?? null;
  }

  /**
   * How often the target's list of models has been read; before the first time no name can be
   * called unknown.
   */
  get listings(): number {
    return this.#listings;
  }

  /** Grows with each change worth writing down. */
  get revision(): number {
    return this.#revision;
  }

  get version(): string | null {
    return this.#version;
  }

  get models(): ReadonlyMap<string, TagsModel> {
    return this.#models;
  }

  /** How often the list of loaded models has been read. */
  get loadedReadings(): number {
    return this.#loadedReadings;
  }

  /** What the target held loaded when it was last asked. */
  get loaded(): readonly PsModel[] {
    return this.#loaded;
  }

  /** The model of that name, spelled in any way that Ollama takes for the same; null if absent. */
  find(name: string): TagsModel | null {
    const canonical = canonicalModelName(name);
    return canonical === null ? null : (this.#models.get(canonical) ?? null);
  }

  /** Whether the target lacks any model that it shall have. */
  get lacksRequired(): boolean {
    return [...this.#required].some((name) => name !== null && !this.#models.has(name));
  }

  /** Whether the target shall have a model of that name, and does not. */
  isMissing(name: string): boolean {
    const canonical = canonicalModelName(name);
    return canonical !== null && this.#required.has(canonical) && !this.#models.has(canonical);
  }

  /** Whether its weights are loaded: the target lists a runner under the name that loaded it. */
  isLoaded(model: TagsModel): boolean {
    const weights = this.#weightsOf(model.digest);
    return this.#loaded.some((loaded) => this.#weightsOf(loaded.digest) === weights);
  }

  /** What the runner of that manifest is made of; null while that was not learned. */
  blueprint(digest: string): Blueprint | null {
    return this.#blueprints.get(digest) ?? null;
  }

  /** Takes in what a listed manifest's runner is made of; forgotten when the manifest goes. */
  learn(digest: string, blueprint: Blueprint): void {
    this.#blueprints.set(digest, blueprint);
    this.#runnersRevision += 1;
  }

  /** Grows with each change of what a name or a digest says about a runner. */
  get runnersRevision(): number {
    return this.#runnersRevision;
  }

  /**
   * Takes a reply in. Answers what is wrong with it, or null: a reply that makes no sense changes
   * nothing, because a proxy's error page must not empty the list of models.
   */
  accept(route: PolledRoute, reply: PolledReply): string | null {
    const isNew = !this.#replies.get(route)?.body.equals(reply.body);
    // What was forgotten has to be read again, though the target says the same.
    const problem = isNew || this.#isForgotten ? this.#read(route, reply.body) : null;
    if (problem !== null) return `${route}: ${problem}`;
    if (route === "/api/ps") this.#isForgotten = false;
    // What is loaded changes with every job, and is worth nothing to a later life.
    if (isNew && route !== "/api/ps") this.#revision += 1;
    if (route === "/api/tags") this.#listings += 1;
    if (route === "/api/ps") this.#loadedReadings += 1;
    this.#replies.set(route, reply);
    return null;
  }

  /** Forgets what was loaded: a target that went away has nothing loaded when it returns. */
  forgetLoaded(): void {
    this.#loaded = [];
    this.#isForgotten = true;
  }

  #forgetBlueprints(listed: ReadonlySet<string>): void {
    for (const digest of this.#blueprints.keys()) {
      if (!listed.has(digest)) this.#blueprints.delete(digest);
    }
    this.#runnersRevision += 1;
  }

  #weightsOf(digest: string): string {
    return this.#blueprints.get(digest)?.weights ?? digest;
  }

  #read(route: PolledRoute, body: Buffer): string | null {
    switch (route) {
      case "/api/version":
        return parse(versionReply, body, (reply) => {
          this.#version = reply.version;
        });
      case "/api/tags":
        return parse(tagsReply, body, (reply) => {
          this.#models = new Map(
            reply.models.map((model) => [canonicalInventoryName(model.name) ?? model.name, model]),
          );
          this.#forgetBlueprints(new Set(reply.models.map(({ digest }) => digest)));
        });
      case "/api/ps":
        return parse(psReply, body, (reply) => {
          this.#loaded = reply.models;
        });
      case "/v1/models":
        return body[0] === openingBrace ? null : "not a JSON object";
    }
  }
}

const openingBrace = 0x7b;

function parse<Schema extends z.ZodType>(
  schema: Schema,
  body: Buffer,
  use: (reply: z.output<Schema>) => void,
): string | null {
  let json: unknown;
  try {
    json = JSON.parse(body.toString("utf8"));
  } catch {
    return "not JSON";
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return parsed.error.issues[0]?.message ?? "of an unknown shape";
  use(parsed.data);
  return null;
}
