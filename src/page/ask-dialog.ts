import { html, nothing, type TemplateResult } from "lit-html";
import type { App, Question } from "./app.ts";

/** Asks back in a modal dialog: Escape, or the button that has the focus, changes nothing. */
export function askDialog(
  app: App,
  question: Question | null,
  onAnswer: () => void,
): TemplateResult | typeof nothing {
  if (question === null) return nothing;
  const { act, title, verb, words } = question;
  // Opened once it is in the document, which it is after this drawing.
  requestAnimationFrame(() => {
    const dialog = document.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  });
  const doIt = () => {
    onAnswer();
    void app.act(act(), `Done: ${verb.toLowerCase()}.`);
  };
  return html`<dialog aria-labelledby="question" @close=${onAnswer}>
    <h2 id="question"><bdi>${title}</bdi></h2>
    <p><bdi>${words}</bdi></p>
    <p class="actions">
      <button type="button" autofocus @click=${onAnswer}>Leave it</button>
      <button type="button" class="strong" @click=${doIt}>${verb}</button>
    </p>
  </dialog>`;
}
