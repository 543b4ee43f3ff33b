import { randomBytes } from "node:crypto";

/**
 * What this foreman adds to Via on the way to the target; a request that bears it has come back. A
 * name of its own for each process: another foreman's requests, and those of whoever writes
 * "foreman" into a header, wait like all others.
 */
export const viaToken = `1.1 foreman-${randomBytes(6).toString("hex")}`;
