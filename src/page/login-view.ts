import { html, type TemplateResult } from "lit-html";
import { problem } from "./pieces.ts";

/** Asks for a token; `problem` is what was wrong with the one before, or null. */
export function loginView(wrong: string | null, onToken: (token: string) => void): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const token = String(new FormData(event.target).get("token") ?? "").trim();
    if (token !== "") onToken(token);
  };
  return html`<main class="login" id="main">
    <form @submit=${submit}>
      <h1>foreman</h1>
      <p>This foreman asks for a token. An admin may act, a user sees its own work.</p>
      <label>Token <input name="token" type="password" required autocomplete="off" /></label>
      ${problem(wrong)}
      <button type="submit" class="strong">Come in</button>
      <p class="note">It is kept in this tab alone, and gone when you close or reload it.</p>
    </form>
  </main>`;
}
