import { expect } from "vitest";
import type { Status } from "../../src/wire/status.ts";
import type { Receiver } from "./receiver.ts";
import type { RunningForeman } from "./start-foreman.ts";

/** A native chat whose job tells its states to `webhook`. */
export const chat = (webhook: string | null, more: object = {}) => ({
  model: "llama3.2",
  messages: [{ role: "user", content: "hello" }],
  ...(webhook !== null && { state_webhook_url: webhook }),
  ...more,
});

type JobDocument = {
  readonly job_id: string;
  readonly state: string;
  readonly result: string | null;
  readonly artifacts: unknown;
  readonly error: unknown;
  readonly webhooks_left: number | null;
};

/** POST /jobs, which must be taken: the job's id. */
export async function submit(url: string, body: object): Promise<string> {
  const answer = await fetch(`${url}/jobs`, { method: "POST", body: JSON.stringify(body) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as JobDocument).job_id;
}

export const show = async (url: string, id: string) =>
  (await (await fetch(`${url}/jobs/${id}`)).json()) as JobDocument;

export const statusOf = async (url: string) =>
  (await (await fetch(`${url}/foreman/status`)).json()) as Status;

export const isEnd = (state: string) => ["done", "failed", "cancelled"].includes(state);

/** The setting that lets webhooks go to these and nowhere else. */
export const allowing = (...receivers: readonly Receiver[]) => ({
  FOREMAN_WEBHOOK_ALLOW: receivers.map(({ port }) => `127.0.0.1:${port}`).join(","),
});

/** What was logged with a message that begins so. */
export const saying = (foreman: RunningForeman, msg: string) =>
  foreman.logged.filter((line) => line.msg.startsWith(msg));
