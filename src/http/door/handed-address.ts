import type { AddressInfo } from "node:net";
import { isLoopback } from "../../config.ts";

/**
 * Why a socket that was passed on is not the one that the settings speak of, in words; null if it
 * is. Names are not looked up: what counts is the port, and whether other machines reach it.
 */
export function addressProblem(
  bound: AddressInfo | string | null,
  host: string,
  port: number,
): string | null {
  const isBound = bound !== null && typeof bound !== "string";
  const isSame = isBound && isLoopback(bound.address) === isLoopback(host);
  if (isSame && (port === 0 || bound.port === port)) return null;
  const where = isBound ? `${bound.address}:${bound.port}` : "no TCP port";
  return (
    `FOREMAN_ADDR is ${host}:${port}, but foreman.socket listens on ${where}: ` +
    "write the same in both"
  );
}
