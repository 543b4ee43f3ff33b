/** One command of a Modelfile; of a parameter `name` is the parameter's. */
export type ModelfileCommand = {
  readonly kind:
    | "from"
    | "adapter"
    | "draft"
    | "template"
    | "system"
    | "license"
    | "renderer"
    | "parser"
    | "requires"
    | "parameter"
    | "message";
  /** The parameter's name, or the message's role; else empty. */
  readonly name: string;
  readonly value: string;
};

const kinds = [
  "from",
  "adapter",
  "draft",
  "template",
  "system",
  "license",
  "renderer",
  "parser",
  "requires",
  "parameter",
  "message",
] as const;

/**
 * The commands of a Modelfile, as Ollama's own parser takes them (parser/parser.go, v0.33): a value
 * goes to the end of its line, or of its quotes, one or three; nothing inside is escaped.
 *
 * @throws Error that names the line at fault
 */
export function readModelfile(text: string): readonly ModelfileCommand[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const commands: ModelfileCommand[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? "").replace(/^[ \t]+/, "");
    if (line === "" || line.startsWith("#")) continue;
    const [, word = "", rest = ""] = /^([A-Za-z]+)[ \t]+(.*)$/s.exec(line) ?? [];
    const kind = kinds.find((each) => each === word.toLowerCase());
    if (kind === undefined) throw new Error(`Modelfile, line ${at + 1}: no command "${line}"`);
    const isNamed = kind === "parameter" || kind === "message";
    const [, name = "", first = rest] = isNamed ? (/^(\w+)[ \t]+(.*)$/s.exec(rest) ?? []) : [];
    const quoted = readValue(first, lines, at);
    commands.push({ kind, name, value: quoted.value });
    at = quoted.lastLine;
  }
  return commands;
}

type Value = { readonly value: string; readonly lastLine: number };

function readValue(first: string, lines: readonly string[], at: number): Value {
  const quote = first.startsWith('"""') ? '"""' : first.startsWith('"') ? '"' : "";
  if (quote === "") return { value: first.trim(), lastLine: at };
  let text = first.slice(quote.length);
  for (let line = at; line < lines.length; ) {
    const end = text.trimEnd();
    if (end.endsWith(quote)) return { value: end.slice(0, -quote.length), lastLine: line };
    line += 1;
    text += `\n${lines[line] ?? ""}`;
  }
  throw new Error(`Modelfile, line ${at + 1}: its ${quote} is never closed`);
}
