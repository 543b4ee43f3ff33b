import Database from "better-sqlite3";
import { newJobId } from "../../src/job.ts";
import { chatAbout, type KillScene } from "./kill-scene.ts";
import { until } from "./until.ts";

/** A way for a daemon that runs to the points where it may be killed: see fail-at-point.ts. */
export type Approach = {
  readonly when: string;
  /**
   * Goes there with a job that is submitted under `key`, or is not submitted at all. Must arm the
   * point just before the step that reaches it.
   */
  to(scene: KillScene, key: string, armNow: () => void): Promise<unknown>;
};

/** What the job of that key asks for; more than is kept in memory of a job that waits. */
export const wordsOf = (key: string) => chatAbout(key.padEnd(20_000, "."));

/** The model of the job that `cleanUp` leaves to be pruned. */
export const prunedModel = "long-forgotten";

const cudaError = { kind: "answer", status: 500, body: '{"error":"CUDA error"}' } as const;

export const submission: Approach = {
  when: "while a job comes, runs and ends",
  async to(scene, key, armNow) {
    armNow();
    await scene.submitUnheard(wordsOf(key), key);
  },
};

export const newModel: Approach = {
  when: "while the target gets a model",
  async to(scene, key, armNow) {
    armNow();
    const body = JSON.stringify({ source: "llama3.2", destination: key.replaceAll(" ", "-") });
    await fetch(`${scene.url}/api/copy`, { method: "POST", body }).catch(() => {});
  },
};

export const failure: Approach = {
  when: "while the target fails a job",
  async to(scene, key, armNow) {
    scene.sim.fail({ route: "/api/chat", times: 1, fault: cudaError });
    armNow();
    await scene.submitUnheard(wordsOf(key), key);
  },
};

export const cancellation: Approach = {
  when: "while a job is cancelled that waits",
  async to(scene, key, armNow) {
    scene.stallAfter(1);
    await scene.submit(chatAbout(`goes before ${key}`));
    const id = await scene.submit(wordsOf(key), key);
    armNow();
    await scene.cancel(id).catch(() => {});
  },
};

export const cancellationOfAll: Approach = {
  when: "while all jobs are cancelled that wait",
  async to(scene, key, armNow) {
    scene.stallAfter(1);
    await scene.submit(chatAbout(`goes before ${key}`));
    const id = await scene.submit(wordsOf(key), key);
    armNow();
    await scene.cancelWaiting(id).catch(() => {});
  },
};

export const question: Approach = {
  when: "while a job is asked about",
  async to(scene, key, armNow) {
    const id = await scene.submit(wordsOf(key), key);
    await scene.ended(id);
    armNow();
    await scene.show(id).catch(() => {});
  },
};

export const restart: Approach = {
  when: "while it starts after a death amid a job",
  async to(scene, key, armNow) {
    scene.stallAfter(1);
    const id = await scene.submit(wordsOf(key), key);
    await until("it works", () => scene.row(id)?.state === "working");
    await scene.kill();
    armNow();
    scene.spawn();
  },
};

export const cleanUp: Approach = {
  when: "while it prunes a job that ended half a century ago",
  async to(scene, _key, armNow) {
    await scene.kill();
    const database = new Database(scene.file);
    const insert = database.prepare(`
      INSERT INTO job
        (id, class, client, route, model, runner_key, is_durable, body_bytes, body_hash,
         enqueued_at_ms, state, ended_at_ms, end_reason)
      VALUES
        (?, 'batch', 'ann', '/api/chat', ?, 'key', 0, 2, '-', 1, 'cancelled', 1, 'client_gone')`);
    insert.run(newJobId(1), prunedModel);
    database.close();
    armNow();
    scene.spawn();
  },
};

export const farewell: Approach = {
  when: "while it closes its database",
  async to(scene, _key, armNow) {
    armNow();
    scene.daemon.kill("SIGTERM");
  },
};
