/** What a token's `priority`, `slots` and `weight` do to the work of its client. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashOf, newToken } from "../../src/access/new-token.ts";
import { addToken } from "../../src/access/token-file.ts";
import type { Status } from "../../src/wire/status.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

type Limits = Partial<Omit<Parameters<typeof addToken>[1], "name" | "hash">>;

function clientsFile() {
  const file = join(mkdtempSync(join(tmpdir(), "foreman-limits-")), "tokens.json");
  const add = (name: string, limits: Limits = {}) => {
    const token = newToken();
    addToken(file, { name, hash: hashOf(token), scope: "user", ...limits });
    return { Authorization: `Bearer ${token}` };
  };
  return { add, file };
}

const say = (content: string, stream = false) =>
  JSON.stringify({ model: "llama3.2", stream, messages: [{ role: "user", content }] });

test("a ceiling makes batch work of all, own slots hold the rest, and who hears is not cut", async () => {
  const sim = await startSim({ models: [{ name: "llama3.2", loadMs: 1 }] });
  const { add, file } = clientsFile();
  const nightly = add("nightly", { priority: "batch", slots: 1 });
  const ann = add("ann");
  const settings = { FOREMAN_TOKENS_FILE: file, FOREMAN_CHAT_SLOTS: "2" };
  const foreman = await startForeman(sim.url, settings);
  const ask = (headers: Record<string, string>, body: string) =>
    fetch(`${foreman.url}/api/chat`, { method: "POST", headers, body });
  const status = async () =>
    (await (await fetch(`${foreman.url}/foreman/status`, { headers: ann })).json()) as Status;
  const waits = async (client: string) =>
    (await status()).waiting.find((line) => line.client === client);
  const runs = async (client: string) =>
    (await status()).running.some((line) => line.client === client);
  const putBack = () => foreman.logged.filter(({ msg }) => msg === "job put back");

  const keyed = { ...nightly, "Idempotency-Key": "1" };
  const heard = await ask(keyed, say("[[tokens=60]] [[token-ms=50]]", true));
  const second = ask({ ...nightly, "Idempotency-Key": "2" }, say("[[tokens=40]] [[token-ms=50]]"));
  await until("nightly is held", async () => Boolean((await waits("nightly"))?.reason));
  expect(await waits("nightly")).toMatchObject({
    priority: "batch",
    reason: "nightly may run 1 at once, and does",
  });
  const long = ask(ann, say("[[tokens=90]] [[token-ms=50]]"));
  await until("ann runs", () => runs("ann"));
  const quick = ask(ann, say("[[tokens=2]] [[token-ms=1]]"));
  await until("ann waits", async () => Boolean((await waits("ann"))?.reason));
  // All slots are taken, one by batch work that is young: but its client hears it.
  expect(await heard.text()).toContain('"done":true');
  expect(putBack()).toEqual([]);
  expect((await quick).status).toBe(200);

  await until("nightly runs", () => runs("nightly"));
  expect((await ask(ann, say("[[tokens=2]] [[token-ms=1]]"))).status).toBe(200);
  expect(putBack()).toEqual([expect.objectContaining({ why: "preempted" })]);
  const whole = await second;
  expect([whole.status, await whole.text()]).toEqual([200, expect.stringContaining('"done":true')]);
  expect((await long).status).toBe(200);
});

test("tokens of weight 1 and 3 with long backlogs share the GPU's time as 1 to 3", async () => {
  const sim = await startSim({ models: [{ name: "llama3.2", loadMs: 1 }] });
  const { add, file } = clientsFile();
  const [one, three] = [add("one", { weight: 1 }), add("three", { weight: 3 })];
  const root = add("root", { scope: "admin" });
  const foreman = await startForeman(sim.url, { FOREMAN_TOKENS_FILE: file });
  const post = async (path: string, headers: Record<string, string>, body: string) => {
    const answer = await fetch(`${foreman.url}${path}`, { method: "POST", headers, body });
    expect([path, answer.ok]).toEqual([path, true]);
  };
  const ended = async () => {
    const answer = await fetch(`${foreman.url}/jobs?state=done`, { headers: root });
    const { jobs } = (await answer.json()) as { jobs: { client: string; started_at: string }[] };
    return jobs.toSorted((a, b) => a.started_at.localeCompare(b.started_at));
  };

  await post("/foreman/pause", root, "{}");
  const slow = say("[[tokens=8]] [[token-ms=8]]");
  for (let i = 0; i < 24; i += 1) {
    await post("/jobs", one, slow);
    await post("/jobs", three, slow);
  }
  await post("/foreman/resume", root, "{}");
  await until("half of them ran", async () => (await ended()).length >= 24, 20_000);

  const ofThree = (await ended()).slice(0, 24).filter(({ client }) => client === "three");
  expect(ofThree.length).toBeGreaterThanOrEqual(16);
  expect(ofThree.length).toBeLessThanOrEqual(20);
});
