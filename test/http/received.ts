import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A request and its response as Node's server hands them over, and the sending client's socket. */
export type Received = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly socket: Socket;
};

/**
 * Sends bytes to a real server, set up as foreman's is, and gives the request that it made of them.
 * Everything is closed when the test ends.
 */
export async function received(text: string): Promise<Received> {
  const server = createServer({ requireHostHeader: false, requestTimeout: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  socket.write(Buffer.from(text, "latin1"));
  const [incoming, outgoing] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  return { incoming, outgoing, socket };
}

/** A request's head: its first line and its headers, Host included unless they have one. */
export function headOf(line: string, headers: readonly string[] = []): string {
  const hasHost = headers.some((header) => /^host:/i.test(header));
  return `${[line, ...(hasHost ? [] : ["Host: localhost"]), ...headers].join("\r\n")}\r\n\r\n`;
}
