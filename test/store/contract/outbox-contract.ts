import { describe, expect, test } from "vitest";
import type { Job } from "../../../src/job.ts";
import { originsMax, tryAgainMsMax } from "../../../src/store/outbox.ts";
import { aJob, prompt } from "../job-maker.ts";
import { cancelled, done, failing } from "./endings.ts";
import type { StorePlace } from "./store-place.ts";

const webhookUrl = "http://velocity.lan:8000/hooks/foreman?key=1";
const nowMs = 1_700_000_100_000;

/** What a store promises of the states that are still to be told. */
export function outboxContract(place: StorePlace): void {
  const outbox = () => place.store.outbox;

  async function joined(facts: Partial<Job> = {}, url = webhookUrl): Promise<Job> {
    const job = aJob(facts);
    await place.store.insertJob(job, prompt, { webhookUrl: url });
    return job;
  }

  async function working(url = webhookUrl): Promise<Job> {
    const job = await joined({}, url);
    await place.store.claim(job.id, 1, 5);
    await place.store.markWorking(job.id, 1, 6);
    return job;
  }

  const due = async (atMs = nowMs, perOrigin = 9) =>
    (await outbox().due(atMs, perOrigin)).deliveries;

  const told = async (atMs = nowMs) =>
    (await due(atMs)).map(({ jobId, transition: { n, state } }) => `${jobId} ${n} ${state}`);

  /** Delivers whatever is due until nothing is; answers the states in the order of delivery. */
  async function deliverAll(): Promise<string[]> {
    const states: string[] = [];
    for (;;) {
      const [delivery] = await due();
      if (delivery === undefined) return states;
      states.push(delivery.transition.state);
      await outbox().noteDelivered(delivery.seq);
    }
  }

  describe("what is to be told", () => {
    test("is a job's first state as soon as it has joined, with all that a message needs", async () => {
      const job = await joined({ enqueuedAtMs: 77 });

      const transition = { n: 1, state: "queued", previousState: null, attempt: 0, why: null };
      expect(await outbox().due(nowMs, 1)).toEqual({
        deliveries: [
          {
            seq: expect.any(Number),
            jobId: job.id,
            transition: { ...transition, atMs: 77 },
            url: webhookUrl,
            tries: 0,
          },
        ],
        nextAtMs: null,
      });
      expect(await outbox().depth()).toEqual({ left: 1, oldestAtMs: 77 });
    });

    test("is each state once, in order, the next when the one before was received", async () => {
      const job = await working();
      await place.store.putBack(job.id, 1, failing, 7, 99);
      await place.store.claim(job.id, 2, 8);
      await place.store.markWorking(job.id, 2, 9);
      await place.store.settle(job.id, 2, done, 10);

      expect(await told()).toEqual([`${job.id} 1 queued`]);
      expect(await deliverAll()).toEqual([
        ...["queued", "loading", "working", "queued", "loading", "working", "done"],
      ]);
      expect(await outbox().depth()).toEqual({ left: 0, oldestAtMs: null });
    });

    test("has nothing of a job that did not ask, nor of what changed nothing", async () => {
      await place.working();
      const job = await working();
      await place.store.claim(job.id, 2, 9);
      await place.store.settle(job.id, 7, done, 9);
      await place.store.insertJob(job, prompt, { webhookUrl }).catch(() => null);

      expect((await outbox().depth()).left).toBe(3);
    });

    test("has what a start made of a dead daemon's jobs, and how waiting ones end", async () => {
      const ran = await working();
      const waited = await joined();

      await place.store.recoverInterrupted(70);
      await place.store.endWaiting(waited.id, cancelled, 71);

      expect((await outbox().depth()).left).toBe(6);
      expect(await deliverAll()).toEqual([
        ...["queued", "loading", "working", "queued", "queued", "cancelled"],
      ]);
      expect(await place.store.job(ran.id)).toMatchObject({ deliveriesLeft: 0 });
    });

    test("stays over a restart, with its tries and its time", async () => {
      await working();
      const [head] = await due();
      await outbox().noteFailed(head!.seq, nowMs + 5_000);

      await place.reopen();

      expect(await outbox().due(nowMs, 9)).toEqual({ deliveries: [], nextAtMs: nowMs + 5_000 });
      expect(await due(nowMs + 5_000)).toEqual([{ ...head, tries: 1 }]);
      expect((await outbox().depth()).left).toBe(3);
    });
  });

  describe("a delivery that failed", () => {
    test("is due again at its time, and holds its job's later states but no other job's", async () => {
      const first = await working();
      const [head] = await due();
      await outbox().noteFailed(head!.seq, nowMs + 1);
      const second = await working();

      expect(await told()).toEqual([`${second.id} 1 queued`]);
      expect((await outbox().due(nowMs, 9)).nextAtMs).toBe(nowMs + 1);
      expect(await told(nowMs + 1)).toEqual([`${second.id} 1 queued`, `${first.id} 1 queued`]);
    });

    test("of which the clock was set back in between is due, not years away", async () => {
      const job = await joined();
      const [head] = await due();
      await outbox().noteFailed(head!.seq, nowMs + tryAgainMsMax + 1);

      expect(await told(nowMs)).toEqual([`${job.id} 1 queued`]);
      expect(await told(nowMs + 1)).toEqual([]);
    });

    test("is given up alone, and what waited behind it takes over its tries", async () => {
      const job = await working();
      const [head] = await due();
      for (let i = 0; i < 4; i++) await outbox().noteFailed(head!.seq, nowMs);

      await outbox().giveUp(head!.seq);

      expect(await told()).toEqual([`${job.id} 2 loading`]);
      expect(await due()).toMatchObject([{ tries: 4 }]);
      await outbox().noteDelivered((await due())[0]!.seq);
      expect(await due()).toMatchObject([{ transition: { state: "working" }, tries: 0 }]);
    });

    test("is given up without a trace for states that come later", async () => {
      const job = await joined();
      const [head] = await due();
      await outbox().noteFailed(head!.seq, nowMs);
      await outbox().giveUp(head!.seq);

      await place.store.claim(job.id, 1, 5);

      expect(await due()).toMatchObject([{ transition: { state: "loading" }, tries: 0 }]);
    });

    test("because the receiver wants no more ends the webhook of its job alone", async () => {
      const job = await working();
      const other = await joined();
      const [head] = await due();

      await outbox().endWebhook(head!.seq);
      await place.store.settle(job.id, 1, done, 7);

      expect(await told()).toEqual([`${other.id} 1 queued`]);
      expect(await place.store.job(job.id)).toMatchObject({ deliveriesLeft: null, state: "done" });
    });

    test("and is gone by now is left alone", async () => {
      await joined();
      const [head] = await due();
      await outbox().noteDelivered(head!.seq);

      await outbox().noteFailed(head!.seq, 1);
      await outbox().noteDelivered(head!.seq);
      await outbox().giveUp(head!.seq);
      await outbox().endWebhook(head!.seq);

      expect(await outbox().depth()).toEqual({ left: 0, oldestAtMs: null });
    });
  });

  describe("of several receivers", () => {
    test("each is told of, however much one of them has before it", async () => {
      const urls = [
        "http://a.lan/x",
        "http://a.lan:81/x",
        "https://a.lan/x",
        "http://b.lan/x?y=/z",
      ];
      for (let i = 0; i < 20; i++) await joined({}, urls[0]);
      for (const url of urls.slice(1)) await joined({}, url);

      const found = await due(nowMs, 2);

      const counts = urls.map((url) => found.filter((delivery) => delivery.url === url).length);
      expect(counts).toEqual([2, 1, 1, 1]);
    });

    test("more than 1,000 are told of in their turn, and none is left out", async () => {
      const urls = Array.from({ length: originsMax + 1 }, (_, i) => `http://r${i}.lan/`);
      await Promise.all(urls.map((url) => joined({}, url)));

      const first = await due(nowMs, 1);
      await Promise.all(first.map(({ seq }) => outbox().noteDelivered(seq)));
      const rest = await due(nowMs, 1);

      expect(first).toHaveLength(originsMax);
      const told = [...first, ...rest].map((delivery) => delivery.url);
      expect(told.toSorted()).toEqual(urls.toSorted());
    });

    test("one's paths are told of together, and the longest due first", async () => {
      const late = await joined({}, "http://a.lan/late");
      const [head] = await due();
      await outbox().noteFailed(head!.seq, nowMs - 1);
      const early = await joined({}, "http://a.lan/early");

      expect(await told()).toEqual([`${early.id} 1 queued`, `${late.id} 1 queued`]);
      expect(await due(nowMs, 1)).toHaveLength(1);
    });
  });

  describe("a job that has a webhook", () => {
    test("tells how many states it is still to be told", async () => {
      const job = await working();
      const silent = await place.working();
      const left = async ({ id }: Job) => (await place.store.job(id))?.deliveriesLeft;

      expect(await left(job)).toBe(3);
      expect(await left(silent)).toBeNull();
      await deliverAll();
      expect(await left(job)).toBe(0);
    });

    test("is not forgotten before the last of them, nor longer", async () => {
      const untold = await joined();
      const told = await joined({}, "http://b.lan/");
      for (const { id } of [untold, told]) await place.store.endWaiting(id, cancelled, 5);
      const toB = async () => (await due()).find(({ url }) => url === "http://b.lan/");
      for (let next = await toB(); next; next = await toB()) await outbox().noteDelivered(next.seq);

      expect(await place.store.prune(6, 9)).toBe(1);

      expect(await place.store.job(told.id)).toBeNull();
      expect(await place.store.job(untold.id)).toMatchObject({ deliveriesLeft: 2 });
      await deliverAll();
      expect(await place.store.prune(6, 9)).toBe(1);
      expect(await place.store.job(untold.id)).toBeNull();
    });

    test("cannot be one on a socket", async () => {
      const job = aJob({ isDurable: false });

      const insertion = place.store.insertJob(job, null, { webhookUrl });

      await expect(insertion).rejects.toMatchObject({ code: "internal" });
      expect((await outbox().depth()).left).toBe(0);
    });
  });
}
