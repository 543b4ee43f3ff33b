import { html, nothing, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { providerList, providerOrderView } from "../wire/runtime-answers.ts";
import { type App, isAdmin } from "./app.ts";
import { count, duration } from "./format.ts";
import { badge, button, type Cell, table } from "./pieces.ts";

type Providers = z.output<typeof providerList>["providers"];
type Provider = Providers[number];
type Order = z.output<typeof providerOrderView>["order"];
type Direction = "earlier" | "later";

const llm = "../api/runtime/llm";

const ruleWords = `foreman's rule decides who is asked: Ollama, but Nemoclaw first for large
  prompts. Moving one sets an order instead.`;
const orderWords = "An operator set the order: the first that can answer is asked.";

/** Who answers the runtime-LLM API, in the order in which they are asked; an admin changes both. */
export class ProviderTable {
  readonly #app: App;
  /** Called after each change. */
  readonly #onChange: () => Promise<void>;
  #providers: Providers = [];
  #order: Order = null;

  constructor(app: App, onChange: () => Promise<void>) {
    this.#app = app;
    this.#onChange = onChange;
  }

  /** @throws ApiError */
  async read(): Promise<void> {
    const { api } = this.#app;
    const [list, { order }] = await Promise.all([
      api.ask<{ readonly providers: Providers }>("GET", `${llm}/providers`),
      api.ask<{ readonly order: Order }>("GET", `${llm}/providers/order`),
    ]);
    this.#providers = list.providers;
    this.#order = order;
  }

  draw(): TemplateResult {
    const isOperator = isAdmin(this.#app);
    const heads = [
      { head: "State" },
      { head: "Provider" },
      { head: "Models" },
      { head: "p50", isFigure: true },
      { head: "Errors", isFigure: true },
      { head: "Waiting", isFigure: true },
      ...(isOperator ? [{ head: "Order" }, { head: "" }] : []),
    ];
    const rows = this.#providers.map((provider, i): readonly Cell[] => [
      badge(provider.enabled ? provider.status : "off"),
      html`${provider.id} <span class="note"><bdi>${wordsOn(provider)}</bdi></span>`,
      this.#modelSwitches(provider, isOperator),
      duration(provider.latency_ms?.p50 ?? null),
      `${Math.round(provider.error_rate * 100)} %`,
      count(provider.queue_depth),
      ...(isOperator ? [this.#movers(provider, i), this.#switch(provider)] : []),
    ]);
    return html`<p class="note">${this.#order === null ? ruleWords : orderWords}
        ${isOperator && this.#order !== null ? this.#backToRule() : nothing}</p>
      ${table("Providers", heads, rows, "Reading …")}`;
  }

  #backToRule(): TemplateResult {
    const asked = () => this.#app.api.ask("PUT", `${llm}/providers/order`, { order: null });
    return button("Back to the rule", () => void this.#do(asked(), "The rule decides again."));
  }

  #movers({ id }: Provider, place: number): TemplateResult {
    const mover = (sign: string, direction: Direction, isOff: boolean) =>
      button(sign, () => void this.#move(place, direction), {
        ...{ kind: "quiet", isOff, label: labelOf(id, direction) },
      });
    return html`<span class="actions">
      ${mover("↑", "earlier", place === 0)}
      ${mover("↓", "later", place === this.#providers.length - 1)}
    </span>`;
  }

  async #move(place: number, direction: Direction): Promise<void> {
    const order = this.#providers.map(({ id }) => id);
    const [moved] = order.splice(place, 1);
    if (moved === undefined) return;
    order.splice(direction === "earlier" ? place - 1 : place + 1, 0, moved);
    const asked = this.#app.api.ask("PUT", `${llm}/providers/order`, { order });
    await this.#do(asked, `Asked in this order: ${order.join(", ")}.`);
    // Its line is another one now, which is drawn before this: the focus goes along.
    requestAnimationFrame(() => focusMover(moved, direction));
  }

  #switch({ enabled, id }: Provider): TemplateResult {
    const flip = () => this.#app.api.ask("PATCH", `${llm}/providers/${id}`, { enabled: !enabled });
    if (!enabled)
      return button("Switch on", () => void this.#do(flip(), `${id} is on.`), {
        label: `Switch on ${id}`,
      });
    const words = `The runtime-LLM API asks the next provider instead; what runs is left to run.`;
    const act = () => flip().then(this.#onChange);
    const off = { title: `Switch ${id} off?`, words, verb: "Switch it off", act };
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

  async #do(doing: Promise<unknown>, done: string): Promise<void> {
    await this.#app.act(doing, done);
    await this.#onChange();
  }
}

/** What stands in its way, and what it said at its last failure. */
function wordsOn({ last_error, problem }: Provider): string {
  const last = last_error === null ? [] : [`last error: ${last_error}`];
  return [...(problem === null ? [] : [problem]), ...last].join("; ");
}

function labelOf(id: string, direction: Direction): string {
  return `Ask ${id} ${direction}`;
}

/** At the end of the list only the other way is left. */
function focusMover(id: string, direction: Direction): void {
  const other: Direction = direction === "earlier" ? "later" : "earlier";
  for (const way of [direction, other]) {
    const mover = document.querySelector(`button[aria-label="${labelOf(id, way)}"]:enabled`);
    if (!(mover instanceof HTMLButtonElement)) continue;
    mover.focus();
    return;
  }
}
