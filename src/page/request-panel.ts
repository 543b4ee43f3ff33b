import { html, type TemplateResult } from "lit-html";
import type { App } from "./app.ts";
import { bytes } from "./format.ts";
import { panel } from "./pieces.ts";

/** More of a request than this nobody reads on a page, and pictures in it are long. */
const bytesShownMax = 64 * 2 ** 10;

type Shown = { readonly text: string; readonly bytes: number; readonly isCut: boolean };

/** What a job was asked, as it came; read once, for it never changes, and is gone with its end. */
export class RequestPanel {
  readonly #app: App;
  readonly #path: string;
  #shown: Shown | null = null;
  /** Why there is nothing to show. */
  #words = "Reading …";

  constructor(app: App, path: string) {
    this.#app = app;
    this.#path = path;
    void this.#read();
  }

  draw(): TemplateResult {
    const shown = this.#shown;
    if (shown === null)
      return panel("Request", html`<p class="empty"><bdi>${this.#words}</bdi></p>`);
    const size = bytes(shown.bytes);
    const aside = shown.isCut ? `the first ${bytes(bytesShownMax)} of ${size}` : size;
    return panel("Request", html`<pre class="answer" tabindex="0">${shown.text}</pre>`, { aside });
  }

  async #read(): Promise<void> {
    try {
      this.#shown = await beginningOf(await this.#app.api.send("GET", this.#path));
    } catch (cause) {
      this.#words = cause instanceof Error ? cause.message : String(cause);
    }
    this.#app.redraw();
  }
}

/** The rest is not even sent. */
async function beginningOf(response: Response): Promise<Shown> {
  const size = Number(response.headers.get("Content-Length"));
  const decoder = new TextDecoder();
  let text = "";
  let left = bytesShownMax;
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece.subarray(0, left), { stream: true });
    left -= piece.length;
    if (left <= 0) break;
  }
  return { text, bytes: Math.max(size, bytesShownMax - left), isCut: size > bytesShownMax };
}
