import { createHmac } from "node:crypto";
import type { Transition } from "../../src/job.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Told } from "./sim-receivers.ts";

type JudgeDeps = {
  readonly disk: SimDisk;
  readonly told: readonly Told[];
  readonly secret: string;
  readonly nameOf: (id: string) => string;
};

/** Seconds between the time that a message bears and its arrival. */
const lateSMax = 2;

/**
 * What is wrong with the webhooks of a world that is over: each state of each job that asked is
 * received (W1), in the job's order (W2), not again by a daemon that heard so (W3), and is what the
 * signature (W4) and the job's history say (W5).
 */
export function judgeWebhooks({ disk, nameOf, secret, told }: JudgeDeps): readonly string[] {
  const found: string[] = [];
  const messages = Map.groupBy(told, ({ headers }) => String(headers["webhook-id"]));
  for (const { deliveriesLeft, id } of disk.rows) {
    if (deliveriesLeft === null) continue;
    const name = nameOf(id);
    let isBeforeReceived = true;
    let receivedAt = -1;
    for (const transition of disk.historyOf(id)) {
      const { n } = transition;
      const tries = messages.get(`msg_${id}_${n}`) ?? [];
      const received = tries.find(({ statusCode }) => statusCode === 204);
      if (received === undefined) found.push(`W1 ${name}: its state ${n} was not told`);
      const [first] = tries;
      const isInOrder =
        isBeforeReceived && (first === undefined || told.indexOf(first) > receivedAt);
      if (!isInOrder)
        found.push(`W2 ${name}: its state ${n} was told before the last was received`);
      const again = tries.slice(
        received === undefined ? tries.length : tries.indexOf(received) + 1,
      );
      if (again.some(({ life }) => life === received?.life)) {
        found.push(`W3 ${name}: its state ${n} was told again`);
      }
      for (const message of tries) {
        if (!isSigned(message, secret)) found.push(`W4 ${name}: its signature is wrong`);
        const isSame = message.body === first?.body && tells(message, id, transition);
        if (!isSame) found.push(`W5 ${name}: its state ${n} was told as ${message.body}`);
      }
      isBeforeReceived = received !== undefined;
      receivedAt = received === undefined ? receivedAt : told.indexOf(received);
    }
  }
  return found;
}

function isSigned({ atWallMs, body, headers }: Told, secret: string): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
  const hmac = (text: string) => createHmac("sha256", secret).update(text);
  const isRecent = Math.abs(atWallMs / 1_000 - Number(timestamp)) <= lateSMax;
  const ofAll = `v1,${hmac(`${id}.${timestamp}.${body}`).digest("base64")}`;
  const ofBody = `sha256=${hmac(body).digest("hex")}`;
  const isOfAll = headers["webhook-signature"] === ofAll;
  return isRecent && isOfAll && headers["x-foreman-signature"] === ofBody;
}

function tells({ body }: Told, id: string, { attempt, previousState, state }: Transition): boolean {
  const document = JSON.parse(body) as Record<string, unknown>;
  const expected = { job_id: id, state, previous_state: previousState, attempt };
  return Object.entries(expected).every(([name, value]) => document[name] === value);
}
