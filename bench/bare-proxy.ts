/**
 * The proxy that anyone would write: node:http, undici.request, pipeline. It queues nothing, checks
 * nothing and lets a slow client hold the target: what foreman does costs the difference.
 */
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";
import { Agent, type Dispatcher, request } from "undici";

const [targetOrigin = "", port = "0"] = process.argv.slice(2);
const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
const hopByHop = new Set(["connection", "host", "keep-alive", "transfer-encoding"]);

const server = createServer(async (incoming, outgoing) => {
  const cut = new AbortController();
  outgoing.on("close", () => cut.abort());
  const { headers, method = "GET", url = "/" } = incoming;
  try {
    const answer = await request(`${targetOrigin}${url}`, {
      method: method as Dispatcher.HttpMethod,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name))),
      body: method === "GET" || method === "HEAD" ? null : incoming,
      signal: cut.signal,
      dispatcher,
    });
    outgoing.writeHead(answer.statusCode, answer.headers);
    outgoing.flushHeaders();
    await pipeline(answer.body, outgoing);
  } catch {
    outgoing.destroy();
  }
});
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 8192 });
process.on("SIGTERM", () => process.exit(0));
