import { html, nothing, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import { type App, isAdmin, type View } from "./app.ts";
import { type Change, changeTable, readChanges } from "./change-table.ts";
import { every } from "./page-clock.ts";
import { pauseForm } from "./pause-form.ts";
import { badge, button, drainWords, panel, problem } from "./pieces.ts";
import { ProviderTable } from "./provider-table.ts";
import { SlotsStepper } from "./slots-stepper.ts";

const refreshMs = 3_000;
const usersOwn = "Your token is a user's: an admin's may change things here.";

/** What an operator may do; who may not sees the providers alone. */
export function openControls(app: App): View {
  const desk = new Desk(app);
  return { title: "controls", close: () => desk.close(), draw: () => desk.draw() };
}

class Desk {
  readonly #app: App;
  readonly #stop: () => void;
  readonly #providers: ProviderTable;
  readonly #slots: SlotsStepper;
  #changes: readonly Change[] = [];
  #problem: string | null = null;

  constructor(app: App) {
    this.#app = app;
    this.#providers = new ProviderTable(app, () => this.#read());
    this.#slots = new SlotsStepper(app, () => this.#read());
    this.#stop = every(refreshMs, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#stop();
  }

  draw(): TemplateResult {
    const { status } = this.#app.live;
    const isOperator = isAdmin(this.#app);
    const changes = () => panel("What operators did", changeTable(this.#changes), { kind: "wide" });
    return html`<h1>Controls</h1>
      ${problem(this.#problem)}
      ${isOperator ? nothing : html`<p class="notice">${usersOwn}</p>`}
      ${isOperator && status !== null ? this.#levers(status) : nothing}
      ${panel("Providers", this.#providers.draw(), { kind: "wide" })}
      ${isOperator ? changes() : nothing}`;
  }

  #levers(status: Status): TemplateResult {
    return html`<div class="columns">
      ${panel(
        "Pause",
        pauseForm(this.#app, status, () => void this.#read()),
      )}
      ${panel("Slots", this.#slots.draw(status))} ${panel("New work", this.#drain(status))}
      ${panel("Models", this.#models(status))}
    </div>`;
  }

  #drain({ drain, draining }: Status): TemplateResult {
    const set = (on: boolean) => this.#app.api.ask("POST", "drain", { on });
    const close = () =>
      this.#app.ask({
        title: "Take no new work?",
        words:
          "Every new chat is refused with 503 until you take new work again. " +
          "What runs and waits goes on.",
        verb: "Drain",
        act: () => set(true),
      });
    const open = () => void this.#do(set(false), "New work is taken again.");
    const words = drain === null ? (draining ? "Refused." : "Taken.") : drainWords(drain);
    return html`<p>${badge(draining ? "paused" : "online")} ${words}</p>
      ${draining ? button("Take new work again", open) : button("Drain …", close)}
      <p class="note">Ends with a restart.</p>`;
  }

  #models({ target }: Status): TemplateResult {
    const load = (event: SubmitEvent) => {
      event.preventDefault();
      if (!(event.target instanceof HTMLFormElement)) return;
      const model = String(new FormData(event.target).get("model"));
      const loading = this.#app.api.ask("POST", "models/load", { model });
      void this.#do(loading, `${model} is loaded when its turn comes.`);
    };
    return html`<form class="line" @submit=${load}>
        <label>Load
          <select name="model">
            ${target.models.map((name) => html`<option>${name}</option>`)}
          </select>
        </label>
        <button type="submit" ?disabled=${target.models.length === 0}>Load</button>
      </form>
      <p class="note">It waits its turn, so that nothing is swapped beside a run. What is loaded can
        be unloaded under Now.</p>`;
  }

  async #do(doing: Promise<unknown>, done: string): Promise<void> {
    await this.#app.act(doing, done);
    await this.#read();
  }

  async #read(): Promise<void> {
    const { api } = this.#app;
    try {
      await this.#providers.read();
      if (isAdmin(this.#app)) this.#changes = await readChanges(api);
      this.#problem = null;
    } catch (cause) {
      this.#problem = cause instanceof Error ? cause.message : String(cause);
    }
    this.#app.redraw();
  }
}
