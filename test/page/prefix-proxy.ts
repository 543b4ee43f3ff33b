import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A reverse proxy that serves foreman below `/gpu/box`, and can be cut. */
export async function startPrefixProxy(port: number) {
  const prefix = "/gpu/box";
  let isUp = true;
  const server = createServer((incoming, outgoing) => {
    const { headers, method, url = "" } = incoming;
    if (!isUp || !url.startsWith(`${prefix}/`)) {
      outgoing.writeHead(isUp ? 404 : 502).end("<h1>not here</h1>");
      return;
    }
    const path = url.slice(prefix.length);
    const forward = request({ port, path, headers, ...(method && { method }) }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forward.destroy());
    incoming.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    cut() {
      isUp = false;
      server.closeAllConnections();
    },
    mend() {
      isUp = true;
    },
  };
}
