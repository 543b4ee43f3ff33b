/** What foreman said instead of an answer; the status is 0 where nothing came at all. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type ServerEvent = { readonly type: string; readonly text: string };

/**
 * Asks the foreman that served the page. Paths are relative to `/foreman/`, so that a prefix that a
 * proxy put before it stays. The token lives in this object alone: neither a cookie nor storage has
 * it, so that no other site's page can use it, and it is gone with the tab.
 */
export class Api {
  #token: string | null = null;

  get hasToken(): boolean {
    return this.#token !== null;
  }

  useToken(token: string | null): void {
    this.#token = token;
  }

  /** @throws ApiError for every answer that is no success */
  async ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await this.send(method, path, { body });
    const answer: Answer = await response.json();
    return answer;
  }

  /** @throws ApiError for every answer that is no success */
  async send(
    method: string,
    path: string,
    options: { readonly body?: object | undefined; accept?: string; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { accept = "application/json", body, signal } = options;
    const headers = new Headers({ Accept: accept });
    if (this.#token !== null) headers.set("Authorization", `Bearer ${this.#token}`);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    let response: Response;
    try {
      response = await fetch(path, {
        ...{ method, headers, redirect: "error", credentials: "omit" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      });
    } catch (cause) {
      throw new ApiError(0, `foreman does not answer (${String(cause)})`);
    }
    if (!response.ok) throw new ApiError(response.status, await wordsOf(response));
    return response;
  }

  /**
   * Server-sent events by fetch: an EventSource can send no token. Ends with the stream.
   *
   * @throws ApiError if it cannot be opened or breaks
   */
  async follow(
    path: string,
    onEvent: (event: ServerEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const response = await this.send("GET", path, { accept: "text/event-stream", signal });
    if (response.body === null) return;
    let rest = "";
    try {
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const event = eventOf(block);
          if (event !== null) onEvent(event);
        }
      }
    } catch (cause) {
      throw new ApiError(0, `the stream broke (${String(cause)})`);
    }
  }
}

function eventOf(block: string): ServerEvent | null {
  const fieldOf = (field: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).replace(/^ /, ""))
      .join("\n");
  const text = fieldOf("data");
  return text === "" ? null : { type: fieldOf("event") || "message", text };
}

/** The three shapes of foreman's own errors; else what the status says. */
async function wordsOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail, error } = JSON.parse(text);
    if (typeof error === "string") return error;
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail)) return detail.map(({ msg }) => String(msg)).join("; ");
  } catch {
    // Not foreman's: a proxy's page of HTML is of no use here.
  }
  return `${response.status} ${response.statusText}`;
}
