import pLimit from "p-limit";
import { z } from "zod";
import { type Clock, isoTime } from "../clock.ts";
import { ForemanError } from "../errors.ts";
import type { JobClass } from "../job.ts";
import { keepDocument, type Memory, recallDocument } from "../kept-document.ts";
import type { Log } from "../log.ts";
import { splitLoadKey } from "../target/load-key.ts";
import { type ControlChange, controlChange, pauseView } from "../wire/controls.ts";
import {
  modelOfScope,
  type Pause,
  type PauseRule,
  type PauseScope,
  pauseOn,
  pausesMax,
  rulesOf,
  withoutPauses,
  withPause,
} from "./pauses.ts";

/** Older changes are forgotten. */
const changesMax = 200;

const documentName = "controls";

const document = z.object({
  pauses: z.array(pauseView),
  /** Newest first. */
  changes: z.array(controlChange),
});

/** Who asks for something, and why if they say so. */
export type Author = { readonly by: string; readonly note: string | null };

/** What an author did, beside when. */
export type Deed = Pick<ControlChange, "action"> &
  Partial<Pick<ControlChange, "class" | "model" | "slots" | "on">>;

type ControlsOptions = {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
  /** FOREMAN_CHAT_SLOTS. */
  readonly chatSlots: number;
  /** What may be let through has changed. */
  readonly onChange: () => void;
};

/**
 * What operators decided while foreman runs. Pauses are kept for good: work that was held back for
 * a reason must not run because a box was rebooted. The slots are not, so that the setting is what
 * a start goes by.
 */
export class Controls {
  readonly #options: ControlsOptions;
  readonly #log: Log;
  #pauses: readonly Pause[] = [];
  #rules: readonly PauseRule[] = [];
  #changes: readonly ControlChange[] = [];
  #slots: number;
  /** One change at a time: each is made of what the one before left, whether it came off or not. */
  readonly #inTurn = pLimit(1);

  constructor(options: ControlsOptions) {
    this.#options = options;
    this.#slots = options.chatSlots;
    this.#log = options.log.child({ component: "controls" });
  }

  /**
   * Brings back what was decided in an earlier life. What cannot be read pauses nothing, and is
   * told as an error: foreman must start.
   */
  async recall(): Promise<void> {
    const { memory } = this.#options;
    const kept = await recallDocument(memory, documentName, document, (cause) =>
      this.#log.error({ err: cause }, "controls not readable: nothing is paused"),
    );
    if (kept === null) return;
    this.#setPauses(kept.pauses);
    this.#changes = kept.changes;
    if (this.#pauses.length > 0) this.#log.warn({ paused: this.#pauses }, "work is paused");
  }

  get pauses(): readonly Pause[] {
    return this.#pauses;
  }

  /** Newest first. */
  get changes(): readonly ControlChange[] {
    return this.#changes;
  }

  /** How many generations may run at once. */
  get slots(): number {
    return this.#slots;
  }

  get slotsSetting(): number {
    return this.#options.chatSlots;
  }

  /** The pause that jobs of such a lane wait for; null if they are not paused. */
  pauseOf(lane: { readonly class: JobClass; readonly loadKey: string }): Pause | null {
    if (this.#rules.length === 0) return null;
    return pauseOn(this.#rules, { class: lane.class, model: splitLoadKey(lane.loadKey).model });
  }

  /**
   * What runs is left to end. Effective when it resolves, which is when it is on the disk.
   *
   * @throws ForemanError `bad_request` when too much is paused already, or as `Store.remember`
   */
  async pause(scope: PauseScope, author: Author): Promise<void> {
    await this.#change({ action: "pause", ...scope }, author, (pauses, since) => {
      const next = withPause(pauses, { ...scope, ...author, since });
      if (next.length <= pausesMax) return next;
      throw new ForemanError("bad_request", `${pausesMax} pauses are in force: resume some first`);
    });
  }

  /**
   * Resumes all that is paused within that scope. As `pause`.
   *
   * @throws ForemanError `still_paused` when nothing of it was paused by itself, and something
   * wider holds it
   */
  async resume(scope: PauseScope, author: Author): Promise<void> {
    await this.#change({ action: "resume", ...scope }, author, (pauses) => {
      const next = withoutPauses(pauses, scope);
      const wider = pauseOn(rulesOf(pauses), { class: scope.class, model: modelOfScope(scope) });
      if (next.length < pauses.length || wider === null) return next;
      const what = describeScope(wider);
      const message = `${what} is paused by ${wider.by} since ${wider.since}: resume that`;
      throw new ForemanError("still_paused", message);
    });
  }

  /** Until the next start. What runs beyond a lower number is left to end. As `pause`. */
  async setSlots(slots: number, author: Author): Promise<void> {
    await this.note({ action: "slots", slots }, author);
    this.#slots = slots;
    this.#options.onChange();
  }

  /** Records what somebody did, and answers with the record. As `pause`. */
  note(deed: Deed, author: Author): Promise<ControlChange> {
    return this.#change(deed, author, (pauses) => pauses);
  }

  #setPauses(pauses: readonly Pause[]): void {
    this.#pauses = pauses;
    this.#rules = rulesOf(pauses);
  }

  async #change(
    deed: Deed,
    author: Author,
    apply: (pauses: readonly Pause[], at: string) => readonly Pause[],
  ): Promise<ControlChange> {
    const { clock, memory, onChange } = this.#options;
    return await this.#inTurn(async () => {
      const at = isoTime(clock.wallMs());
      const nothing = { class: null, model: null, slots: null, on: null };
      const change = { ...nothing, ...deed, ...author, at };
      const pauses = apply(this.#pauses, at);
      const changes = [change, ...this.#changes].slice(0, changesMax);
      await keepDocument(memory, documentName, { pauses, changes });
      this.#setPauses(pauses);
      this.#changes = changes;
      this.#log.info({ ...deed, ...author }, "operator's control");
      onChange();
      return change;
    });
  }
}

function describeScope({ class: jobClass, model }: PauseScope): string {
  const work = jobClass === null ? "all work" : `all ${jobClass} work`;
  return model === null ? work : `${work} of ${model}`;
}
