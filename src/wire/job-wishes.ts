import { z } from "zod";
import type { PeekPlan, PeekResult } from "./json-peek.ts";

/** What a submitted job says to foreman, beside the request itself. */
export type JobWishes = {
  readonly isChat: boolean;
  readonly class: "interactive" | "batch";
  readonly idempotencyKey: string | null;
  /** Where its states are to be told, as the client wrote it; null: nowhere. */
  readonly webhookUrl: string | null;
  /** What is wrong with these members, for the client; null if nothing is. */
  readonly problem: string | null;
};

export const jobPlan: PeekPlan = {
  raw: ["priority", "idempotency_key", "state_webhook_url"],
  kindOnly: ["messages"],
};

/** What browsers and servers take for granted that a URL fits into. */
const urlLettersMax = 2_048;

const members = z.object({
  priority: z.enum(["interactive", "batch"]).default("interactive"),
  idempotency_key: z.string().min(1).max(256).nullable().default(null),
  state_webhook_url: z.string().min(1).max(urlLettersMax).nullable().default(null),
});

/** In the place of a value too long to be read: it fits no member. */
const unread = Symbol("unread");

const complaints: Readonly<Record<string, string>> = {
  priority: 'priority is "interactive" or "batch"',
  idempotency_key: "idempotency_key takes 1 to 256 letters",
  state_webhook_url: `state_webhook_url is an http(s) URL of at most ${urlLettersMax} letters`,
};

/** Reads foreman's own members of a job's body. A body that is no JSON has none of them. */
export function readJobWishes(peeked: PeekResult): JobWishes {
  const found = peeked.kind === "value" ? peeked.members : [];
  const isChat = found.some(({ name }) => name === "messages");
  const given = Object.fromEntries(
    found
      .filter(({ name }) => name !== "messages")
      .map(({ name, raw }) => [name, raw === null ? unread : JSON.parse(raw.toString())]),
  );
  const parsed = members.safeParse(given);
  if (parsed.success) {
    const {
      idempotency_key: idempotencyKey,
      priority,
      state_webhook_url: webhookUrl,
    } = parsed.data;
    return { isChat, class: priority, idempotencyKey, webhookUrl, problem: null };
  }
  const at = String(parsed.error.issues[0]?.path[0] ?? "");
  const problem = complaints[at] ?? "a member of the job is not understood";
  return { isChat, class: "interactive", idempotencyKey: null, webhookUrl: null, problem };
}
