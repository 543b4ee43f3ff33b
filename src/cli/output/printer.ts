import { once } from "node:events";
import type { Shell } from "../shell.ts";
import { printable, printableJson } from "./printable.ts";

/** For a terminal that does not tell. */
const columnsDefault = 80;

export type PrinterOptions = {
  /** As `--json` and `--text` say it; null: text for a terminal, JSON for a program. */
  readonly format: "json" | "text" | null;
};

/** What a command says: results on stdout, everything else on stderr. */
export class Printer {
  readonly isText: boolean;
  readonly #shell: Shell;

  constructor(shell: Shell, { format }: PrinterOptions) {
    this.#shell = shell;
    this.isText = format === null ? shell.stdout.isTTY === true : format === "text";
  }

  /** Letters in a line of the terminal; null where it is none, and lines may be of any length. */
  get width(): number | null {
    return this.#shell.stdout.isTTY ? (this.#shell.stdout.columns ?? columnsDefault) : null;
  }

  /** A document of foreman's: as it was sent, or what `render` makes of it for a person. */
  async document(json: string, render: () => string): Promise<void> {
    if (this.isText) await this.text(render());
    else await this.json(json);
  }

  /** JSON on a line of its own. */
  async json(json: string): Promise<void> {
    await this.raw(`${printableJson(json)}\n`);
  }

  /** Text that is printable already, and the line break at its end. */
  async text(text: string): Promise<void> {
    if (text !== "") await this.raw(`${text}\n`);
  }

  /** Waits for a reader that is slower. */
  async raw(piece: string | Uint8Array): Promise<void> {
    if (!this.#shell.stdout.write(piece)) await once(this.#shell.stdout, "drain");
  }

  /** A remark for a person, on one line of stderr. */
  note(text: string): void {
    this.#shell.stderr.write(`foreman: ${printable(text)}\n`);
  }
}
