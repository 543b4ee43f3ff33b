import { chatAbout, type KillScene } from "./kill-scene.ts";
import { until } from "./until.ts";

type Submitted = { readonly status: number; readonly id: string | null; readonly told: string };

/** POST /jobs, whatever becomes of it; a 202 is noted as a promise. */
export async function trySubmit(scene: KillScene, body: object): Promise<Submitted> {
  const text = JSON.stringify(body);
  scene.history.submits(text);
  const answer = await fetch(`${scene.url}/jobs`, { method: "POST", body: text });
  const told = await answer.text();
  if (answer.status !== 202) return { status: answer.status, id: null, told };
  const { job_id: id } = JSON.parse(told) as { job_id: string };
  scene.history.acknowledged(id, null);
  return { status: 202, id, told };
}

/** What goes on while nothing can be stored: an embedding, and a chat on a socket. */
export async function passingStatuses({ url }: KillScene): Promise<readonly number[]> {
  const ask = async (path: string, body: object) => {
    const answer = await fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });
    await answer.text();
    return answer.status;
  };
  const embedding = { model: "nomic-embed-text", input: "x" };
  return [await ask("/api/embed", embedding), await ask("/api/chat", chatAbout("on a socket"))];
}

type Health = { readonly status: number; readonly problem: string | null };

export async function healthOf({ url }: KillScene): Promise<Health> {
  const answer = await fetch(`${url}/healthz`);
  const { problem = null } = (await answer.json()) as { problem?: string };
  return { status: answer.status, problem };
}

/** A heartbeat comes every ten seconds. */
const healthMsMax = 15_000;

/** Resolves when /healthz answers so. */
export async function healthBecomes(scene: KillScene, status: 200 | 503): Promise<Health> {
  const isSo = async () => (await healthOf(scene)).status === status;
  await until(`/healthz is ${status}`, isSo, healthMsMax);
  return await healthOf(scene);
}
