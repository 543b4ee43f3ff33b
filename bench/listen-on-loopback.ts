/** Preloaded into a program that would listen on every address: keeps it to this machine. */
import { Server } from "node:net";

const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, port: unknown, ...rest: unknown[]) {
  const onListening = rest.find((one) => typeof one === "function") as (() => void) | undefined;
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, onListening);
} as typeof listen;
