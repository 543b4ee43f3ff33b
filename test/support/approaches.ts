import Database from "better-sqlite3";
import { newJobId } from "../../src/job.ts";
import { mayFailAtPoint } from "./failpoints.ts";
import { chatAbout, KillScene } from "./kill-scene.ts";
import { answersWith, Receiver } from "./receiver.ts";
import { until } from "./until.ts";

/** A daemon that can be killed at any point, and whoever is told by its webhooks. */
export type Stage = { readonly scene: KillScene; readonly receiver: Receiver };

export async function openStage(): Promise<Stage> {
  const receiver = await Receiver.open();
  const allowed = { FOREMAN_WEBHOOK_ALLOW: `127.0.0.1:${receiver.port}` };
  return { receiver, scene: await KillScene.open({}, { ...mayFailAtPoint, ...allowed }) };
}

/** A way for a daemon that runs to the points where it may be killed: see fail-at-point.ts. */
export type Approach = {
  readonly when: string;
  /**
   * Goes there with a job that is submitted under `key`, or is not submitted at all. Must arm the
   * point just before the step that reaches it.
   */
  to(stage: Stage, key: string, armNow: () => void): Promise<unknown>;
};

/** What the job of that key asks for; more than is kept in memory of a job that waits. */
export const wordsOf = (key: string, { receiver }: Stage) => ({
  ...chatAbout(key.padEnd(20_000, ".")),
  state_webhook_url: receiver.url,
});

/** The model of the job that `cleanUp` leaves to be pruned. */
export const prunedModel = "long-forgotten";

const cudaError = { kind: "answer", status: 500, body: '{"error":"CUDA error"}' } as const;

export const submission: Approach = {
  when: "while a job comes, runs and ends",
  async to(stage, key, armNow) {
    const { scene } = stage;
    armNow();
    await scene.submitUnheard(wordsOf(key, stage), key);
  },
};

export const newModel: Approach = {
  when: "while the target gets a model",
  async to({ scene }, key, armNow) {
    armNow();
    const body = JSON.stringify({ source: "llama3.2", destination: key.replaceAll(" ", "-") });
    await fetch(`${scene.url}/api/copy`, { method: "POST", body }).catch(() => {});
  },
};

export const failure: Approach = {
  when: "while the target fails a job",
  async to(stage, key, armNow) {
    const { scene } = stage;
    scene.sim.fail({ route: "/api/chat", times: 1, fault: cudaError });
    armNow();
    await scene.submitUnheard(wordsOf(key, stage), key);
  },
};

export const cancellation: Approach = {
  when: "while a job is cancelled that waits",
  async to(stage, key, armNow) {
    const { scene } = stage;
    scene.stallAfter(1);
    await scene.submit(chatAbout(`goes before ${key}`));
    const id = await scene.submit(wordsOf(key, stage), key);
    armNow();
    await scene.cancel(id).catch(() => {});
  },
};

export const cancellationOfAll: Approach = {
  when: "while all jobs are cancelled that wait",
  async to(stage, key, armNow) {
    const { scene } = stage;
    scene.stallAfter(1);
    await scene.submit(chatAbout(`goes before ${key}`));
    const id = await scene.submit(wordsOf(key, stage), key);
    armNow();
    await scene.cancelWaiting(id).catch(() => {});
  },
};

export const question: Approach = {
  when: "while a job is asked about",
  async to(stage, key, armNow) {
    const { scene } = stage;
    const id = await scene.submit(wordsOf(key, stage), key);
    await scene.ended(id);
    armNow();
    await scene.show(id).catch(() => {});
  },
};

export const restart: Approach = {
  when: "while it starts after a death amid a job",
  async to(stage, key, armNow) {
    const { scene } = stage;
    scene.stallAfter(1);
    const id = await scene.submit(wordsOf(key, stage), key);
    await until("it works", () => scene.row(id)?.state === "working");
    await scene.kill();
    armNow();
    scene.spawn();
  },
};

export const cleanUp: Approach = {
  when: "while it prunes a job that ended half a century ago",
  async to({ scene }, _key, armNow) {
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
  async to({ scene }, _key, armNow) {
    armNow();
    scene.daemon.kill("SIGTERM");
  },
};

/** A receiver is told of a job, and answers so from when the point is armed. */
function delivery(when: string, status: number): Approach {
  return {
    when,
    async to(stage, key, armNow) {
      stage.receiver.answers = answersWith(status);
      armNow();
      await stage.scene.submitUnheard(wordsOf(key, stage), key);
    },
  };
}

export const deliveryTaken = delivery("while a receiver takes what it is told", 204);
export const deliveryFailed = delivery("while a receiver fails", 500);
export const receiverGone = delivery("while a receiver wants to hear no more", 410);

export const lastTry: Approach = {
  when: "while a receiver fails at the last try of days",
  async to(stage, key, armNow) {
    const { receiver, scene } = stage;
    receiver.answers = answersWith(500);
    await scene.ended(await scene.submit(wordsOf(key, stage), key));
    await scene.kill();
    const database = new Database(scene.file);
    database.exec("UPDATE outbox SET tries = 12, next_at_ms = 0 WHERE next_at_ms IS NOT NULL");
    database.close();
    armNow();
    scene.spawn();
  },
};
