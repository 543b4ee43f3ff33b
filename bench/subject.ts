import type { Gateway } from "./gateways.ts";

/** Somebody who is asked, and how. */
export type Subject = Pick<
  Gateway,
  "name" | "chatPath" | "embedPath" | "modelNamed" | "headers" | "userHeader"
> & {
  readonly origin: string;
  readonly targetPort: number;
};

type Wish = { readonly model: string; readonly user?: string };

type Request = {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** A streamed chat of some 2 KB. */
export function chatWith(subject: Omit<Subject, "name">, { model, user }: Wish): Request {
  const { chatPath, modelNamed, userHeader } = subject;
  const messages = [
    { role: "system", content: "You answer in one sentence. ".repeat(40) },
    { role: "user", content: "Why does a queue in front of one GPU help? ".repeat(20) },
  ];
  const body = JSON.stringify({ model: modelNamed(model), stream: true, messages });
  const own = user === undefined || userHeader === null ? {} : { [userHeader]: user };
  return { path: chatPath, body, headers: { ...headersOf(subject), ...own } };
}

/** One short text to be embedded; null if the subject does not do that. */
export function embedWith(subject: Subject, model: string): Request | null {
  const { embedPath, modelNamed } = subject;
  if (embedPath === null) return null;
  const input = "Foreman lets embeddings pass while chats wait.";
  const body = JSON.stringify({ model: modelNamed(model), input });
  return { path: embedPath, body, headers: headersOf(subject) };
}

function headersOf(subject: Pick<Subject, "headers" | "targetPort">) {
  return { "content-type": "application/json", ...subject.headers(subject) };
}
