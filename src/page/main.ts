import { html, nothing, render, type TemplateResult } from "lit-html";
import type { Caller } from "../wire/caller.ts";
import { Api, ApiError } from "./api.ts";
import type { App, Question, View } from "./app.ts";
import { askDialog } from "./ask-dialog.ts";
import { openBatch } from "./batch-view.ts";
import { openBatches } from "./batches-view.ts";
import { openControls } from "./controls-view.ts";
import { headView } from "./head-view.ts";
import { openHistory } from "./history-view.ts";
import { openJob } from "./job-view.ts";
import { openJobs } from "./jobs-view.ts";
import { Live } from "./live.ts";
import { loginView } from "./login-view.ts";
import { openNow } from "./now-view.ts";
import { every, rest } from "./page-clock.ts";

/** Clocks on the page count on between two words of foreman. */
const tickMs = 1_000;

/** How long it is said that something was done. */
const saidMs = 6_000;

class Page implements App {
  readonly api = new Api();
  readonly live: Live;
  readonly #root: HTMLElement;
  me: Caller | null = null;
  #view: View | null = null;
  #question: Question | null = null;
  #said: { readonly words: string; readonly isBad: boolean } | null = null;
  #loginProblem: string | null = null;
  #isDrawing = false;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.live = new Live(this.api, () => this.redraw());
    addEventListener("hashchange", () => this.#open());
    every(tickMs, () => this.redraw());
  }

  /** Finds out who is looking; where a token is wanted, asks for it first. */
  async start(): Promise<void> {
    try {
      this.me = await this.api.ask<Caller>("GET", "me");
      this.#loginProblem = null;
    } catch (cause) {
      const isLocked = cause instanceof ApiError && cause.status === 401;
      if (isLocked && this.api.hasToken) this.#loginProblem = "foreman does not know this token";
    }
    this.live.start();
    this.#open();
  }

  readonly redraw = (): void => {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      render(this.#draw(), this.#root);
    });
  };

  readonly ask = (question: Question): void => {
    this.#question = question;
    this.redraw();
  };

  readonly act = async (doing: Promise<unknown>, done: string): Promise<void> => {
    const said = await doing.then(
      () => ({ words: done, isBad: false }),
      (cause: unknown) => ({
        words: cause instanceof Error ? cause.message : String(cause),
        isBad: true,
      }),
    );
    this.#said = said;
    this.redraw();
    // What went wrong stays until it is dismissed.
    if (said.isBad) return;
    void rest(saidMs, new AbortController().signal).then(() => {
      if (this.#said !== said) return;
      this.#said = null;
      this.redraw();
    });
  };

  #draw(): TemplateResult {
    if (this.live.connection.kind === "locked") {
      return loginView(this.#loginProblem, (token) => {
        this.api.useToken(token);
        void this.start();
      });
    }
    const leave = this.api.hasToken ? () => this.#leave() : null;
    return html`<a class="skip" href="#main" @click=${skipToMain}>To the content</a>
      ${headView(this, this.#view?.title ?? "", leave)}
      <main id="main" tabindex="-1">${this.#view?.draw() ?? nothing}</main>
      <div class="said ${this.#said?.isBad ? "bad" : ""}" role="status">${this.#saidView()}</div>
      ${askDialog(this, this.#question, () => this.#answered())}`;
  }

  #saidView(): TemplateResult | typeof nothing {
    if (this.#said === null) return nothing;
    const forget = () => {
      this.#said = null;
      this.redraw();
    };
    return html`<span><bdi>${this.#said.words}</bdi></span>
      <button type="button" class="quiet" aria-label="Dismiss" @click=${forget}>✕</button>`;
  }

  #answered(): void {
    this.#question = null;
    this.redraw();
  }

  #leave(): void {
    this.api.useToken(null);
    this.me = null;
    this.#view?.close();
    this.#view = null;
    void this.start();
  }

  #open(): void {
    this.#view?.close();
    this.#view = viewAt(location.hash, this);
    document.title = `${this.#view.title} · foreman`;
    this.redraw();
  }
}

function viewAt(hash: string, app: App): View {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [room = "", id = ""] = path.split("/");
  switch (room) {
    case "jobs":
      return id === "" ? openJobs(app, new URLSearchParams(query)) : openJob(app, id);
    case "batches":
      return id === "" ? openBatches(app) : openBatch(app, id);
    case "history":
      return openHistory(app);
    case "controls":
      return openControls(app);
    default:
      return openNow(app);
  }
}

/** The address's hash is a view's: the skip link must not change it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  await new Page(root).start();
}
