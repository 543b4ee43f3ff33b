import { describe, expect, test } from "vitest";
import { ForemanError } from "../../../src/errors.ts";
import { until } from "../../support/until.ts";
import { headerOf } from "../../support/wire-answer.ts";
import { eventScene, MadeUpFeed, type OneClient } from "./event-scene.ts";

const retry = "retry: 2000\n\n";
const said = (id: number, text: string) => `id: ${id}\nevent: said\ndata: {"text":"${text}"}\n\n`;
const stands = (text: string) => `event: stands\ndata: {"text":"${text}"}\n\n`;
const comment = ": keep-alive\n\n";

const hears = (client: OneClient, text: string) =>
  until(`the client hears ${JSON.stringify(text)}`, () => client.text() === text);

describe("an event stream", () => {
  test("tells what is stored, then what comes, and ends after the last event", async () => {
    const { asks } = eventScene();
    const feed = new MadeUpFeed();
    feed.put("one");
    feed.put("two\\n");

    const client = await asks(feed);
    await hears(client, retry + said(1, "one") + said(2, "two\\\\n"));
    feed.store("three");
    await hears(client, retry + said(1, "one") + said(2, "two\\\\n") + said(3, "three"));
    feed.store("four", true);
    await until("the answer ends", client.isOver);

    expect(client.text().endsWith(said(4, "four"))).toBe(true);
    expect(feed.pokes.size).toBe(0);
  });

  test("begins after the event that the client has, and reads page after page", async () => {
    const { asks } = eventScene();
    const feed = new MadeUpFeed();
    feed.pageMax = 2;
    for (const text of ["1", "2", "3", "4", "5", "6"]) feed.put(text);

    const client = await asks(feed, 1);

    await hears(client, retry + ["2", "3", "4", "5", "6"].map((n) => said(Number(n), n)).join(""));
    expect(feed.reads).toEqual([1, 3, 5]);
  });

  test("has a head that nobody on the way stores or gathers", async () => {
    const { asks } = eventScene();

    const client = await asks(new MadeUpFeed());
    await hears(client, retry);

    const { headers, statusLine } = client.answer();
    expect(statusLine).toBe("HTTP/1.1 200 OK");
    expect(headerOf(headers, "content-type")).toBe("text/event-stream");
    expect(headerOf(headers, "cache-control")).toBe("no-store");
    expect(headerOf(headers, "x-accel-buffering")).toBe("no");
    expect(headerOf(headers, "x-extra")).toBe("1");
  });

  test("misses nothing that is stored while it reads", async () => {
    const { asks } = eventScene();
    const feed = new MadeUpFeed();
    const read = feed.read.bind(feed);
    let stored = 0;
    feed.read = async (after) => {
      const found = await read(after);
      if (stored < 3) feed.store(`${++stored}`);
      return found;
    };

    const client = await asks(feed);

    await hears(client, retry + said(1, "1") + said(2, "2") + said(3, "3"));
  });

  test("tells what passes when it is news, without a number, at most once a second", async () => {
    const { asks, clock } = eventScene();
    const feed = new MadeUpFeed();
    feed.stands("a");
    const client = await asks(feed);
    await hears(client, retry + stands("a"));

    feed.stands("b");
    feed.store("one");
    await hears(client, retry + stands("a") + said(1, "one"));
    await clock.advance(999);
    expect(client.text()).not.toContain(stands("b"));
    await clock.advance(1);
    await hears(client, retry + stands("a") + said(1, "one") + stands("b"));
    await clock.advance(10_000);
    feed.stands("c");
    await clock.advance(1_000);

    await hears(client, retry + stands("a") + said(1, "one") + stands("b") + stands("c"));
  });

  test("says every 15 s of silence that it is alive, and looks for what it was not told", async () => {
    const { asks, clock } = eventScene();
    const feed = new MadeUpFeed();
    const client = await asks(feed);
    await hears(client, retry);
    feed.put("untold");

    await clock.advance(14_999);
    expect(client.text()).toBe(retry);
    await clock.advance(1);

    await hears(client, retry + comment + said(1, "untold"));
    await clock.advance(15_000);
    await hears(client, retry + comment + said(1, "untold") + comment);
  });

  test("ends when what it follows is gone, and when that cannot be read", async () => {
    const { asks } = eventScene();
    const [gone, broken] = [new MadeUpFeed(), new MadeUpFeed()];
    gone.isGone = true;
    broken.failure = new Error("the disk is gone");

    for (const feed of [gone, broken]) {
      const client = await asks(feed);
      await until("the answer ends", client.isOver);
      expect(client.text()).toBe(retry);
      expect(feed.pokes.size).toBe(0);
    }
  });
});

describe("a client of an event stream", () => {
  test.each(["destroy", "end"] as const)("is forgotten when it goes, by %s", async (how) => {
    const { asks, clock, streams } = eventScene();
    const feed = new MadeUpFeed();
    const client = await asks(feed);
    await hears(client, retry);

    client.socket[how]();

    await until("it is forgotten", () => streams.openCount === 0);
    expect(feed.pokes.size).toBe(0);
    await clock.advance(1_000);
    expect(clock.pendingCount).toBe(0);
  });

  test("that does not read is told nothing more, and everything stored when it reads", async () => {
    const { asks, clock } = eventScene();
    const feed = new MadeUpFeed();
    const client = await asks(feed);
    await hears(client, retry);
    client.socket.pause();
    const long = "x".repeat(100_000);
    for (let i = 0; i < 200; i++) feed.put(long);

    feed.store("much");
    await until("it does not keep up", () => client.outgoing.writableNeedDrain);
    const readBefore = feed.reads.length;
    const heldBytes = client.outgoing.writableLength;
    for (let i = 0; i < 50; i++) {
      feed.stands(`${i} ${long}`);
      feed.store(long);
      await clock.advance(1_000);
    }
    expect(client.outgoing.writableLength).toBe(heldBytes);
    expect(heldBytes).toBeLessThan(3 * long.length);
    expect(feed.reads.length).toBe(readBefore);
    client.socket.resume();
    feed.store("end", true);

    await until("the answer ends", client.isOver, 20_000);
    const ids = [...client.text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 252 }, (_, i) => i + 1));
    expect(client.text().match(/^event: stands$/gm)?.length ?? 0).toBeLessThan(10);
  }, 30_000);
});

describe("event streams, all together", () => {
  test("are so many and no more, and make room when one is over", async () => {
    const { asks, streams } = eventScene({ streamsMax: 2 });
    const feed = new MadeUpFeed();
    const first = await asks(feed);
    await asks(feed, 0, "bob");

    const refusal = await asks(feed).catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(ForemanError);
    expect(refusal).toMatchObject({ code: "events_full", statusCode: 503, retryAfterS: 10 });
    expect((refusal as Error).message).toContain("FOREMAN_EVENT_STREAMS_MAX");
    first.socket.destroy();
    await until("there is room", () => streams.openCount === 1);

    await hears(await asks(feed), retry);
  });

  test("are one client's by half, so that the others find a place", async () => {
    const { asks, streams } = eventScene({ streamsMax: 5 });
    const feed = new MadeUpFeed();
    const first = await asks(feed);
    for (let n = 0; n < 2; n += 1) await asks(feed);

    const refusal = await asks(feed).catch((cause: unknown) => cause);
    expect(refusal).toMatchObject({ code: "client_events_full", statusCode: 429, retryAfterS: 10 });
    expect((refusal as Error).message).toBe(
      "ann has 3 event streams open, half of FOREMAN_EVENT_STREAMS_MAX (5): close those that are " +
        "not needed, or follow GET /foreman/events, which tells of all work",
    );
    await hears(await asks(feed, 0, "bob"), retry);

    first.socket.destroy();
    await until("there is room", () => streams.openCount === 3);
    await hears(await asks(feed), retry);
  });

  test("are ended whole when foreman goes, but those that nobody reads are cut", async () => {
    const { asks, streams } = eventScene();
    const reader = await asks(new MadeUpFeed());
    await hears(reader, retry);
    const feed = new MadeUpFeed();
    const stuck = await asks(feed);
    stuck.socket.pause();
    for (let i = 0; i < 200; i++) feed.put("x".repeat(100_000));
    feed.store("much");
    await until("it does not keep up", () => stuck.outgoing.writableNeedDrain);

    streams.end();

    await until("both are over", () => stuck.outgoing.destroyed && reader.isOver(), 20_000);
    expect(streams.openCount).toBe(0);
    expect(feed.pokes.size).toBe(0);
  }, 30_000);

  test("of whoever comes while foreman goes ask it to come back, for an error would be final", async () => {
    const { asks, streams } = eventScene();
    streams.end();

    const client = await asks(new MadeUpFeed());
    await until("the answer ends", client.isOver);

    expect(client.answer().statusLine).toBe("HTTP/1.1 200 OK");
    expect(client.text()).toBe("retry: 5000\n\n");
  });
});
