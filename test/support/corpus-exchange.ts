/** One request of the corpus, as the bytes that a client would send. */
export type CorpusExchange = {
  readonly name: string;
  readonly request: Buffer;
  /** HEAD, whose answer has no body whatever its headers say. */
  readonly isHead: boolean;
};

/** One POST of JSON for each name. */
export function posts(path: string, bodies: Readonly<Record<string, unknown>>): CorpusExchange[] {
  return Object.entries(bodies).map(([name, body]) => ({
    ...raw("POST", path, JSON.stringify(body)),
    name: `${name} (${path})`,
  }));
}

/** A request without a body. */
export function bare(method: string, path: string): CorpusExchange {
  return raw(method, path, null);
}

/** Any request, on a connection that ends with its answer. */
export function raw(
  method: string,
  path: string,
  body: string | null,
  headers: readonly string[] = [],
): CorpusExchange {
  const length = body === null ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close"];
  const text = `${[...head, ...headers, ...length].join("\r\n")}\r\n\r\n${body ?? ""}`;
  const origin = headers[0] === undefined ? "" : ` ${headers[0]}`;
  const shown = body === null ? "" : ` ${body.slice(0, 30)}`;
  const name = `${method} ${path}${shown}${origin}`;
  return { name, request: Buffer.from(text), isHead: method === "HEAD" };
}
