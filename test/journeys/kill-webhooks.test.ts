/**
 * kill -9 of the daemon while it tells a receiver, in this process, what becomes of jobs: nothing is
 * lost, and whatever comes twice comes under the same id with the same bytes.
 */
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { Receiver, staysSilent, takes } from "../support/receiver.ts";
import { SeededRandom } from "../support/sim-ollama/seeded-random.ts";
import { until } from "../support/until.ts";

const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

async function sceneWith(receiver: Receiver): Promise<KillScene> {
  const scene = await KillScene.open(
    {},
    {
      FOREMAN_WEBHOOK_ALLOW: `127.0.0.1:${receiver.port}`,
      FOREMAN_WEBHOOK_SECRET: secret,
    },
  );
  await scene.boot();
  return scene;
}

const telling = (receiver: Receiver, about: string, tokens?: number) => ({
  ...chatAbout(about, tokens),
  state_webhook_url: receiver.url,
});

/** Every message, by its id and its bytes; signed for each try anew. */
function expectSame(receiver: Receiver): void {
  const library = new Webhook(secret);
  const bodies = new Map<string, string>();
  for (const { body, headers } of receiver.received) {
    library.verify(body, headers as Record<string, string>);
    const id = String(headers["webhook-id"]);
    expect(body.toString()).toBe(bodies.get(id) ?? body.toString());
    bodies.set(id, body.toString());
  }
}

/** The ids of all that ever happened to jobs, in order, as the database has it. */
function idsInHistory(file: string): string[] {
  const database = new Database(file, { readonly: true });
  const ids = database
    .prepare<[], string>(
      "SELECT 'msg_' || id || '_' || n FROM transition JOIN job ON seq = job_seq ORDER BY seq, n",
    )
    .pluck()
    .all();
  database.close();
  return ids;
}

describe("a daemon that is killed", () => {
  test("Q6 after a result's commit, before its webhook, sends it in its next life", async () => {
    const receiver = await Receiver.open((received, response) => {
      (received.document.state === "working" ? staysSilent : takes)(received, response);
    });
    const scene = await sceneWith(receiver);
    const id = await scene.submit(telling(receiver, "one"));
    await until("it hangs", () => receiver.states.includes("working"));
    await scene.ended(id);

    await scene.kill();
    expect(receiver.states).toEqual(["queued", "loading", "working"]);
    receiver.answers = takes;
    await scene.boot();
    await until("it is told", () => receiver.states.includes("done"));

    expect(receiver.ids).toEqual([1, 2, 3, 4].map((n) => `msg_${id}_${n}`));
    expect(receiver.states).toEqual(["queued", "loading", "working", "working", "done"]);
    expect(receiver.received.at(-1)?.document.result).toBe((await scene.show(id)).result);
    expectSame(receiver);
    scene.expectSound();
  });

  test("Q6 in the middle of a delivery, sends it again under the same id", async () => {
    const receiver = await Receiver.open((received, response) => {
      (received.document.state === "done" ? staysSilent : takes)(received, response);
    });
    const scene = await sceneWith(receiver);
    const id = await scene.submit(telling(receiver, "one"));
    await until("it hangs", () => receiver.states.includes("done"));

    await scene.kill();
    receiver.answers = takes;
    await scene.boot();
    await until("it came again", () => receiver.states.filter((s) => s === "done").length === 2);

    const ends = receiver.received.filter(({ document }) => document.state === "done");
    const end = `msg_${id}_4`;
    expect(ends.map(({ headers }) => headers["webhook-id"])).toEqual([end, end]);
    expectSame(receiver);
    scene.expectSound();
  });

  test("Q6 after the receiver took it, before that was noted, sends it again", async () => {
    const receiver = await Receiver.open();
    const scene = await sceneWith(receiver);
    const locks: (() => void)[] = [];
    receiver.answers = (received, response) => {
      if (received.document.state === "done") locks.push(scene.holdCommits());
      takes(received, response);
    };
    const id = await scene.submit(telling(receiver, "one"));
    await until("it was taken", () => locks.length === 1);
    await until("it is said", () => scene.daemon.output.includes('"state":"done"'));

    await scene.kill();
    for (const release of locks) release();
    receiver.answers = takes;
    await scene.boot();
    await until("it came again", () => receiver.states.filter((s) => s === "done").length === 2);

    expect(receiver.ids.at(-1)).toBe(`msg_${id}_4`);
    expectSame(receiver);
    scene.expectSound();
  });

  test("Q6 again and again, tells every state of every job, each job's in order", async () => {
    const random = new SeededRandom("webhooks");
    const receiver = await Receiver.open((received, response) => {
      if (random.next(10) < 3) response.destroy();
      else takes(received, response);
    });
    const scene = await sceneWith(receiver);

    for (let life = 0; life < 6; life++) {
      for (let i = 0; i < 4; i++) await scene.submit(telling(receiver, `${life}.${i}`, 3));
      await delay(random.next(150));
      await scene.kill();
      await scene.boot();
    }
    receiver.answers = takes;
    for (const { id } of scene.rows()) await scene.ended(id, 20_000);
    const history = () => idsInHistory(scene.file);
    await until("all is told", () => receiver.ids.length >= history().length, 40_000);

    expect(receiver.ids.toSorted()).toEqual(history().toSorted());
    for (const { id } of scene.rows()) {
      const isOfJob = (each: string) => each.startsWith(`msg_${id}_`);
      expect(receiver.ids.filter(isOfJob)).toEqual(history().filter(isOfJob));
    }
    expectSame(receiver);
    scene.expectSound();
  }, 90_000);
});
