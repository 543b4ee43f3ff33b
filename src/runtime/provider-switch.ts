import pLimit from "p-limit";
import { z } from "zod";
import { type Clock, isoTime } from "../clock.ts";
import { keepDocument, type Memory, recallDocument } from "../kept-document.ts";
import type { Log } from "../log.ts";
import { providerIds } from "../wire/provider-id.ts";
import type { ProviderId } from "./providers/provider.ts";

/** Older changes are forgotten. */
const changesMax = 200;

const documentName = "provider-switch";

const id = z.enum(providerIds);
const order = z.array(id).nullable();
const models = z.record(z.string(), z.boolean());

const settings = z.object({
  enabled: z.boolean(),
  /** By the provider's own key; a model that is not named is on. */
  modelsOff: z.record(z.string(), z.string()),
});

const change = z.object({
  at: z.string(),
  by: z.string(),
  note: z.string().nullable(),
  order: order.optional(),
  provider: id.optional(),
  enabled: z.boolean().optional(),
  models: models.optional(),
});

const document = z.object({
  order,
  providers: z.record(id, settings),
  /** Newest first. */
  changes: z.array(change),
});

type SwitchDocument = Readonly<z.output<typeof document>>;

/** What the operator changed, when, and who it was. */
export type SwitchChange = Readonly<z.output<typeof change>>;

/** A model by its name as the provider lists it, and by the key that all its names share. */
type SwitchedModel = { readonly key: string; readonly name: string; readonly isOn: boolean };

type ProviderChange = {
  readonly enabled?: boolean | undefined;
  readonly models: readonly SwitchedModel[];
};

/** Who changes something, and why if they say so. */
type Author = { readonly by: string; readonly note: string | null };

type ProviderSwitchOptions = {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
};

const untouched: SwitchDocument = {
  order: null,
  providers: {
    nemoclaw: { enabled: true, modelsOff: {} },
    ollama: { enabled: true, modelsOff: {} },
    deterministic_fallback: { enabled: true, modelsOff: {} },
  },
  changes: [],
};

/** What the operator decided on providers: their order, and what is switched off. Kept for good. */
export class ProviderSwitch {
  readonly #options: ProviderSwitchOptions;
  readonly #log: Log;
  #state = untouched;
  /** One change at a time: each is made of what the one before left, whether it came off or not. */
  readonly #inTurn = pLimit(1);

  constructor(options: ProviderSwitchOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "provider-switch" });
  }

  /** Brings back what was decided in an earlier life. */
  async recall(): Promise<void> {
    const { memory } = this.#options;
    const kept = await recallDocument(memory, documentName, document, (cause) =>
      this.#log.error({ err: cause }, "provider switch not readable: everything is switched on"),
    );
    this.#state = kept ?? untouched;
  }

  /** Null: none was set, and the routing rule decides. */
  get order(): readonly ProviderId[] | null {
    return this.#state.order;
  }

  /** Newest first. */
  get changes(): readonly SwitchChange[] {
    return this.#state.changes;
  }

  isOn(provider: ProviderId): boolean {
    return this.#state.providers[provider].enabled;
  }

  /** @param key the model by the key that all its names share */
  isModelOn(provider: ProviderId, key: string): boolean {
    return !Object.hasOwn(this.#state.providers[provider].modelsOff, key);
  }

  /** The names of the models that are switched off, as they were listed then. */
  modelsOff(provider: ProviderId): readonly string[] {
    return Object.values(this.#state.providers[provider].modelsOff);
  }

  /** Effective when it resolves, which is when it is on the disk. @throws as `Store.remember` */
  setOrder(chosen: readonly ProviderId[] | null, author: Author): Promise<void> {
    const given = chosen === null ? null : [...chosen];
    return this.#change({ order: given }, author, (state) => ({ ...state, order: given }));
  }

  /** As `setOrder`, for one provider and its models; what is not named stays as it is. */
  setProvider(
    provider: ProviderId,
    { enabled, models: switched }: ProviderChange,
    author: Author,
  ): Promise<void> {
    const named = switched.map(({ isOn, name }) => [name, isOn]);
    const what = {
      provider,
      ...(enabled !== undefined && { enabled }),
      ...(named.length > 0 && { models: Object.fromEntries(named) }),
    };
    return this.#change(what, author, (state) => {
      const before = state.providers[provider];
      const off = new Map(Object.entries(before.modelsOff));
      for (const { isOn, key, name } of switched) {
        if (isOn) off.delete(key);
        else off.set(key, name);
      }
      const after = {
        enabled: enabled ?? before.enabled,
        modelsOff: Object.fromEntries(off),
      };
      return { ...state, providers: { ...state.providers, [provider]: after } };
    });
  }

  async #change(
    what: Omit<SwitchChange, "at" | keyof Author>,
    author: Author,
    apply: (state: SwitchDocument) => SwitchDocument,
  ): Promise<void> {
    const { clock, memory } = this.#options;
    await this.#inTurn(async () => {
      const at = isoTime(clock.wallMs()) ?? "";
      const changes = [{ at, ...author, ...what }, ...this.#state.changes].slice(0, changesMax);
      const next = { ...apply(this.#state), changes };
      await keepDocument(memory, documentName, next);
      this.#state = next;
      this.#log.info({ ...author, ...what }, "provider switch changed");
    });
  }
}
