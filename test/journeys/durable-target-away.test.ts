/** Durable jobs while the target is away: they cost nothing, and nothing is written of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { until } from "../support/until.ts";

/** As many probes of an absent target as it takes to be sure that none of them tries a job. */
const probesMin = 4;

async function isDegraded(url: string): Promise<boolean> {
  const health = (await (await fetch(`${url}/healthz`)).json()) as { degraded: boolean };
  return health.degraded;
}

/** Resolves when the target's polls have failed so often since now, by the time of the last one. */
async function probed(url: string): Promise<void> {
  const seen = new Set<string | null>();
  await until("several probes failed", async () => {
    const health = (await (await fetch(`${url}/healthz`)).json()) as {
      target: { last_poll_at: string | null };
    };
    seen.add(health.target.last_poll_at);
    return seen.size > probesMin;
  });
}

function bodiesSent(scene: KillScene): readonly (string | undefined)[] {
  return requestsTo(scene.events, "/api/chat").map(({ bodySha256 }) => bodySha256);
}

/** A daemon that notes the verbs of its store, once `noteVerbs` was called. */
const notesVerbs = {
  NODE_OPTIONS: `--import=${new URL("../support/note-verbs.ts", import.meta.url)}`,
};

function noteVerbs({ file }: KillScene): () => readonly string[] {
  writeFileSync(`${file}.verbs`, "");
  return () => readFileSync(`${file}.verbs`, "utf8").split("\n").filter(Boolean);
}

describe("durable jobs that wait while the target is away", () => {
  test("cost the database nothing, be they a thousand", async () => {
    const scene = await KillScene.open({}, notesVerbs);
    await scene.boot();
    await until("it is known", async () => !(await isDegraded(scene.url)));
    await scene.sim.down();
    await until("it is away", async () => await isDegraded(scene.url));
    const bodies = Array.from({ length: 1_000 }, (_, i) => chatAbout(`job ${i}`, 1, 0));
    await Promise.all(bodies.map((body) => scene.submit(body)));

    const verbs = noteVerbs(scene);
    await probed(scene.url);
    await probed(scene.url);
    const written = verbs().filter((verb) => verb !== "heartbeat");
    await scene.show(scene.rows()[0]?.id ?? "");
    const seen = verbs();
    const rows = scene.rows();
    await scene.sim.up();
    await until("some run", () => scene.startCount > 3);

    expect(written).toEqual([]);
    // That nothing was seen is worth something if something can be seen.
    expect(seen).toContain("job");
    expect(rows.length).toBe(1_000);
    expect(
      rows.filter(({ last_attempt, state }) => last_attempt > 0 || state !== "queued"),
    ).toEqual([]);
    expect(verbs()).toContain("claim");
  });

  test("are not written and lose no attempt, and run in order on its return", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    await until("it is known", async () => !(await isDegraded(scene.url)));
    await scene.sim.down();
    await until("it is away", async () => await isDegraded(scene.url));
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await scene.submit(chatAbout(`job ${i}`)));

    const before = scene.rows();
    await probed(scene.url);
    const after = scene.rows();
    const waiting = await scene.show(ids[0] ?? "");
    await scene.sim.up();
    for (const id of ids) await scene.ended(id);

    expect(before.map(({ id }) => id)).toEqual(ids);
    expect(before.every(({ last_attempt }) => last_attempt === 0)).toBe(true);
    expect(after).toEqual(before);
    expect(waiting).toMatchObject({ state: "queued", reason: expect.stringMatching(/away/) });
    expect(bodiesSent(scene)).toEqual(before.map(({ body_hash }) => body_hash));
    for (const row of scene.rows()) {
      expect(row).toMatchObject({ state: "done", attempts: 1, last_attempt: 1 });
    }
    scene.expectSound();
  });

  test("stay as they are when foreman dies meanwhile, and run in order on its return", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    scene.stallAfter(3);
    const first = await scene.submit(chatAbout("runs when it goes"));
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await scene.submit(chatAbout(`job ${i}`)));
    await scene.sees("token", 3);

    await scene.sim.down();
    await until("it is put back", () => scene.row(first)?.state === "queued");
    await until("it is away", async () => await isDegraded(scene.url));
    const before = scene.rows();
    await scene.kill();
    const atDeath = scene.rows();
    await scene.boot();
    await probed(scene.url);
    const after = scene.rows();
    await scene.sim.up();
    for (const id of [first, ...ids]) await scene.ended(id);

    expect(before[0]).toMatchObject({ id: first, attempts: 1, put_back_why: "target_lost" });
    expect(atDeath).toEqual(before);
    expect(after).toEqual(before);
    const hashes = before.map(({ body_hash }) => body_hash);
    expect(bodiesSent(scene)).toEqual([hashes[0], ...hashes]);
    expect(scene.rows().map(({ attempts }) => attempts)).toEqual([2, 1, 1, 1]);
    scene.expectSound();
  });
});
