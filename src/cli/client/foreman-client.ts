import type { z } from "zod";
import { jsonOf } from "../json-of.ts";
import type { Address } from "./read-address.ts";
import { isNotFound, notForeman, refusal, unreachable } from "./refusal.ts";

/** A question that foreman answers from memory or by one query; more is a foreman that hangs. */
const answerMsMax = 30_000;

export type Question = {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH";
  /** Beyond the address, from a slash on, with its query. */
  readonly path: string;
  /** Sent as JSON; a stream as it is, piece by piece. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For what takes its time, such as a backup: no limit. */
  readonly isLong?: boolean;
  /** Ends the question, as if foreman could not be reached. */
  readonly signal?: AbortSignal;
};

/** What foreman answered: as it was sent, and what of it was understood. */
export type Told<Document> = { readonly json: string; readonly document: Document };

/** Asks one foreman. Every answer is checked against the shape that foreman publishes for it. */
export class ForemanClient {
  readonly url: string;
  readonly #token: string | null;

  constructor({ token, url }: Address) {
    this.url = url;
    this.#token = token;
  }

  /** @throws CliFailure if it cannot be reached, refuses, or answers as no foreman does */
  async ask<Schema extends z.ZodType>(
    schema: Schema,
    question: Question,
  ): Promise<Told<z.output<Schema>>> {
    const json = await this.#textOf(await this.open(question));
    const parsed = schema.safeParse(jsonOf(json));
    if (parsed.success) return { json: json.trim(), document: parsed.data };
    throw notForeman(this.url, question.path, parsed.error.issues[0]?.path.join(".") ?? "");
  }

  /** As `ask`; null where foreman says that there is no such thing. */
  async find<Schema extends z.ZodType>(
    schema: Schema,
    question: Question,
  ): Promise<Told<z.output<Schema>> | null> {
    try {
      return await this.ask(schema, question);
    } catch (cause) {
      if (isNotFound(cause)) return null;
      throw cause;
    }
  }

  /** An answer whose body is still to be read. Throws as `ask` does. */
  async open(question: Question): Promise<Response> {
    const answer = await this.#send(question);
    if (answer.ok) return answer;
    const place = { url: this.url, path: question.path, hasToken: this.#token !== null };
    throw refusal(answer.status, await this.#textOf(answer), place);
  }

  async #send(question: Question): Promise<Response> {
    const { body, isLong, method = "GET", path, signal, ...rest } = question;
    const ends = [
      ...(isLong ? [] : [AbortSignal.timeout(answerMsMax)]),
      ...(signal === undefined ? [] : [signal]),
    ];
    const headers = new Headers(rest.headers);
    if (this.#token !== null) headers.set("authorization", `Bearer ${this.#token}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    const init: RequestInit = {
      method,
      headers,
      // Where a redirect leads to, the token has no business.
      redirect: "manual",
      ...(body !== undefined && {
        body: body instanceof ReadableStream ? body : JSON.stringify(body),
      }),
      ...(body instanceof ReadableStream && { duplex: "half" }),
      signal: AbortSignal.any(ends),
    };
    try {
      return await fetch(this.url + path, init);
    } catch (cause) {
      throw unreachable(this.url, cause);
    }
  }

  async #textOf(answer: Response): Promise<string> {
    try {
      return await answer.text();
    } catch (cause) {
      throw unreachable(this.url, cause);
    }
  }
}
