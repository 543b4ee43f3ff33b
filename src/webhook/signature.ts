import { createHmac } from "node:crypto";

/** What is signed: the body to the byte, and what the headers say of it. */
export type Signed = {
  /** Without a full stop, which separates what is signed. */
  readonly id: string;
  /** Of this try, in seconds since the epoch. */
  readonly timestampS: number;
  readonly body: Buffer;
};

/**
 * The headers that prove who sent a message: foreman's own, which covers the body alone, and those
 * of Standard Webhooks 1.0.0, which cover id and time as well. Checked with that specification's
 * own library. Written here because that one signs in JavaScript, and wants the body as a string.
 *
 * @returns name after value after name; without a key the id and the time alone
 */
export function signatureHeaders({ body, id, timestampS }: Signed, key: Buffer | null): string[] {
  const facts = ["webhook-id", id, "webhook-timestamp", String(timestampS)];
  if (key === null) return facts;
  const ofBody = createHmac("sha256", key).update(body).digest("hex");
  const ofAll = createHmac("sha256", key).update(`${id}.${timestampS}.`).update(body);
  return [
    ...facts,
    "webhook-signature",
    `v1,${ofAll.digest("base64")}`,
    "X-Foreman-Signature",
    `sha256=${ofBody}`,
  ];
}
