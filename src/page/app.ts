import type { TemplateResult } from "lit-html";
import type { Caller } from "../wire/caller.ts";
import type { Api } from "./api.ts";
import type { Live } from "./live.ts";

/** What is asked back before something that hurts. */
export type Question = {
  readonly title: string;
  readonly words: string;
  /** What the button says that does it. */
  readonly verb: string;
  readonly act: () => Promise<unknown>;
};

/** What every view is given. */
export type App = {
  readonly api: Api;
  readonly live: Live;
  /** Null until it is known who is looking. */
  readonly me: Caller | null;
  readonly redraw: () => void;
  readonly ask: (question: Question) => void;
  /** Does it, and says what came of it. */
  readonly act: (doing: Promise<unknown>, done: string) => Promise<void>;
};

/** What fills the page below its head. */
export type View = {
  readonly title: string;
  draw(): TemplateResult;
  close(): void;
};

export function isAdmin(app: App): boolean {
  return app.me?.scope === "admin";
}
