import { html, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import type { App } from "./app.ts";
import { plural } from "./format.ts";
import { nowMs } from "./page-clock.ts";
import { button } from "./pieces.ts";

const slotsMax = 16;

/** By then the status tells what was asked for, or what somebody else asked for since. */
const toldWithinMs = 3_000;

/**
 * Slots, one more or one less. The status comes once a second, so that it counts from the number
 * that was asked for last: two clicks are two slots.
 */
export class SlotsStepper {
  readonly #app: App;
  /** Called after each change. */
  readonly #onChange: () => Promise<void>;
  /** What was asked for, until the status has it. */
  #asked: { readonly slots: number; readonly untilMs: number } | null = null;
  /** One request at a time, so that they arrive in their order. */
  #latest: Promise<unknown> = Promise.resolve();

  constructor(app: App, onChange: () => Promise<void>) {
    this.#app = app;
    this.#onChange = onChange;
  }

  draw(status: Status): TemplateResult {
    const slots = this.#slots(status);
    // Of two clicks between two drawings the second counts from the first as well.
    const step = (by: number) => () => void this.#set(this.#slots(status) + by);
    return html`<p class="stepper">
        ${button("−", step(-1), { isOff: slots <= 1, label: "One slot less" })}
        <output aria-label="Slots">${slots}</output>
        ${button("+", step(1), { isOff: slots >= slotsMax, label: "One slot more" })}
      </p>
      <p class="note">Generations at once. After a restart ${status.slots_setting}, as
        FOREMAN_CHAT_SLOTS says; Ollama's OLLAMA_NUM_PARALLEL should be the same.</p>`;
  }

  #slots({ slots }: Status): number {
    const asked = this.#asked;
    return asked !== null && nowMs() < asked.untilMs ? asked.slots : slots;
  }

  async #set(slots: number): Promise<void> {
    if (slots < 1 || slots > slotsMax) return;
    const asked = { slots, untilMs: Number.POSITIVE_INFINITY };
    const settle = (untilMs: number) => {
      if (this.#asked === asked) this.#asked = { slots, untilMs };
    };
    this.#asked = asked;
    this.#app.redraw();
    const setting = this.#latest.then(() => this.#app.api.ask("PUT", "slots", { slots }));
    this.#latest = setting.then(
      () => settle(nowMs() + toldWithinMs),
      () => settle(0),
    );
    await this.#app.act(setting, `${plural(slots, "slot")} from now on.`);
    await this.#onChange();
  }
}
