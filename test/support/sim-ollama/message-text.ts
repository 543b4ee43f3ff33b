/** What a list of messages gives the model to read. */
export type MessageText = { readonly promptText: string; readonly lastText: string };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Puts messages into one text, in a form that is the same for every API, so that the same words
 * get the same answer by whatever route they come.
 */
export function readMessages(messages: readonly unknown[]): MessageText {
  const read = messages.map((message) => {
    const fields = asFields(message);
    const text = contentText(fields.content);
    return { role: String(fields.role ?? "").toLowerCase(), text };
  });
  // Who has a tool's result does not ask for it again.
  const isTold = ({ role }: (typeof read)[number]) => role === "user" || role === "tool";
  const lastText = read.findLast(isTold)?.text ?? "";
  return { promptText: read.map(({ role, text }) => `${role}: ${text}`).join("\n"), lastText };
}

/** The text of a content: a string, or a list of parts of which the textual ones count. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => {
      const { text, content: inner } = asFields(part);
      return typeof text === "string" ? text : contentText(inner);
    })
    .join("");
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
