import { html, type TemplateResult } from "lit-html";
import type { Status } from "../wire/status.ts";
import type { App } from "./app.ts";
import { timeOf } from "./page-clock.ts";
import { badge, button } from "./pieces.ts";

/** Holds work back, and lets it go again: all, a class, a model. */
export function pauseForm(app: App, status: Status, then: () => void): TemplateResult {
  const { paused, target } = status;
  const pause = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const given = [...new FormData(event.target)].filter(([, value]) => value !== "");
    const wish = Object.fromEntries(given);
    const on = wish.model === undefined ? "" : ` on ${wish.model}`;
    const what = `${wish.class ?? "All"} work${on}`;
    app.ask({
      title: "Pause this work?",
      words: `${what} waits until it is resumed, over restarts too. What runs goes on.`,
      verb: "Pause",
      act: async () => {
        await app.api.ask("POST", "pause", wish);
        then();
      },
    });
  };
  const resume = (jobClass: string | null, model: string | null) => () => {
    const wish = {
      ...(jobClass !== null && { class: jobClass }),
      ...(model !== null && { model }),
    };
    void app.act(app.api.ask("POST", "resume", wish), "It goes on.").then(then);
  };
  return html`${paused.map(
    ({ by, class: jobClass, model, since }) => html`<p class="notice">
        ${badge("paused")}
        <bdi>${jobClass ?? "all"} work${model === null ? "" : ` on ${model}`}</bdi>,
        by <bdi>${by}</bdi>, ${timeOf(since)} ${button("Resume", resume(jobClass, model))}
      </p>`,
  )}
    <form class="line" @submit=${pause}>
      <label>Class
        <select name="class">
          <option value="">all</option><option>interactive</option><option>batch</option>
        </select>
      </label>
      <label>Model
        <select name="model">
          <option value="">all</option>
          ${target.models.map((name) => html`<option>${name}</option>`)}
        </select>
      </label>
      <label>Note <input name="note" maxlength="200" autocomplete="off" /></label>
      <button type="submit">Pause …</button>
    </form>`;
}
