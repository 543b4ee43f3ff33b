import { html, nothing, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { controlChanges } from "../wire/controls.ts";
import type { providerList } from "../wire/runtime-answers.ts";
import type { Status } from "../wire/status.ts";
import { type App, isAdmin, type View } from "./app.ts";
import { count, duration } from "./format.ts";
import { every, timeOf } from "./page-clock.ts";
import { pauseForm } from "./pause-form.ts";
import { badge, button, type Cell, panel, problem, table } from "./pieces.ts";

type Providers = z.output<typeof providerList>;
type Provider = Providers["providers"][number];
type Changes = z.output<typeof controlChanges>;

const refreshMs = 3_000;
const llm = "../api/runtime/llm";
const slotsMax = 16;
const changesShown = 20;
const usersOwn = "Your token is a user's: an admin's may change things here.";

/** What an operator may do; who may not sees the providers alone. */
export function openControls(app: App): View {
  const desk = new Desk(app);
  return { title: "controls", close: () => desk.close(), draw: () => desk.draw() };
}

class Desk {
  readonly #app: App;
  readonly #stop: () => void;
  #providers: Providers["providers"] = [];
  #changes: Changes["changes"] = [];
  #problem: string | null = null;

  constructor(app: App) {
    this.#app = app;
    this.#stop = every(refreshMs, () => void this.#read());
    void this.#read();
  }

  close(): void {
    this.#stop();
  }

  draw(): TemplateResult {
    const { status } = this.#app.live;
    const isOperator = isAdmin(this.#app);
    return html`<h1>Controls</h1>
      ${problem(this.#problem)}
      ${isOperator ? nothing : html`<p class="notice">${usersOwn}</p>`}
      ${isOperator && status !== null ? this.#levers(status) : nothing}
      ${panel("Providers", this.#providerTable(isOperator), { kind: "wide" })}
      ${isOperator ? panel("What operators did", this.#changeTable(), { kind: "wide" }) : nothing}`;
  }

  #levers(status: Status): TemplateResult {
    return html`<div class="columns">
      ${panel(
        "Pause",
        pauseForm(this.#app, status, () => void this.#read()),
      )}
      ${panel("Slots", this.#slots(status))} ${panel("New work", this.#drain(status))}
      ${panel("Models", this.#models(status))}
    </div>`;
  }

  #slots({ slots, slots_setting }: Status): TemplateResult {
    const set = (wanted: number) => () =>
      void this.#do(
        this.#app.api.ask("PUT", "slots", { slots: wanted }),
        `There are ${wanted} slots now.`,
      );
    return html`<p class="stepper">
        ${button("−", set(slots - 1), { isOff: slots <= 1, label: "One slot less" })}
        <output aria-label="Slots">${slots}</output>
        ${button("+", set(slots + 1), { isOff: slots >= slotsMax, label: "One slot more" })}
      </p>
      <p class="note">Generations at once. After a restart ${slots_setting}, as
        FOREMAN_CHAT_SLOTS says; Ollama's OLLAMA_NUM_PARALLEL should be the same.</p>`;
  }

  #drain({ draining }: Status): TemplateResult {
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
    return html`<p>${badge(draining ? "paused" : "online")} ${draining ? "Refused." : "Taken."}</p>
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

  #providerTable(isOperator: boolean): TemplateResult {
    const heads = [
      { head: "State" },
      { head: "Provider" },
      { head: "Models" },
      { head: "p50", isFigure: true },
      { head: "Errors", isFigure: true },
      { head: "Waiting", isFigure: true },
      { head: "" },
    ];
    const rows = this.#providers.map((provider): readonly Cell[] => [
      badge(provider.enabled ? provider.status : "off"),
      html`${provider.id} <span class="note"><bdi>${provider.problem ?? ""}</bdi></span>`,
      this.#modelSwitches(provider, isOperator),
      duration(provider.latency_ms?.p50 ?? null),
      `${Math.round(provider.error_rate * 100)} %`,
      count(provider.queue_depth),
      isOperator ? this.#switch(provider) : nothing,
    ]);
    return table("Providers", heads, rows, "Reading …");
  }

  #switch({ enabled, id }: Provider): TemplateResult {
    const flip = () => this.#app.api.ask("PATCH", `${llm}/providers/${id}`, { enabled: !enabled });
    if (!enabled)
      return button("Switch on", () => void this.#do(flip(), `${id} is on.`), {
        label: `Switch on ${id}`,
      });
    const words = `The runtime-LLM API asks the next provider instead; what runs is left to run.`;
    const off = { title: `Switch ${id} off?`, words, verb: "Switch it off", act: flip };
    return button("Switch off", () => this.#app.ask(off), { label: `Switch off ${id}` });
  }

  #modelSwitches({ id, models, models_off }: Provider, isOperator: boolean): TemplateResult {
    const flip = (model: string, isOn: boolean) => () => {
      const change = { models: { [model]: isOn } };
      const patched = this.#app.api.ask("PATCH", `${llm}/providers/${id}`, change);
      void this.#do(patched, `${model} of ${id} is ${isOn ? "on" : "off"}.`);
    };
    const chip = (model: string, isOn: boolean) => html`<label class="chip ${isOn ? "" : "off"}">
      <input
        type="checkbox"
        .checked=${isOn}
        ?disabled=${!isOperator}
        @change=${flip(model, !isOn)}
      />
      <bdi>${model}</bdi>
    </label>`;
    return html`<span class="chips">
      ${models.map((model) => chip(model, true))} ${models_off.map((model) => chip(model, false))}
    </span>`;
  }

  #changeTable(): TemplateResult {
    const heads = [{ head: "When" }, { head: "Who" }, { head: "What" }, { head: "Note" }];
    const rows = this.#changes.slice(0, changesShown).map((change) => {
      const { action, by, class: jobClass, model, note, on, slots } = change;
      const what = [action, on === null ? null : on ? "on" : "off", slots, jobClass, model];
      return [
        timeOf(change.at),
        html`<bdi>${by}</bdi>`,
        html`<bdi>${what.filter((part) => part !== null).join(" ")}</bdi>`,
        html`<bdi>${note ?? ""}</bdi>`,
      ];
    });
    return table("What operators did", heads, rows, "Nobody changed anything yet.");
  }

  async #do(doing: Promise<unknown>, done: string): Promise<void> {
    await this.#app.act(doing, done);
    await this.#read();
  }

  async #read(): Promise<void> {
    const { api } = this.#app;
    try {
      this.#providers = (await api.ask<Providers>("GET", `${llm}/providers`)).providers;
      if (isAdmin(this.#app)) this.#changes = (await api.ask<Changes>("GET", "changes")).changes;
      this.#problem = null;
    } catch (cause) {
      this.#problem = cause instanceof Error ? cause.message : String(cause);
    }
    this.#app.redraw();
  }
}
