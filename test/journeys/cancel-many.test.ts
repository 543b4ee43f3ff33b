/** Cancels of many jobs over HTTP, and kill -9 in the midst of one. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { RawClient } from "../support/raw-client.ts";
import { requestsTo } from "../support/sim-ollama/journal-queries.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";

async function cancel(url: string, filter: unknown) {
  const body = typeof filter === "string" ? filter : JSON.stringify(filter);
  const answer = await fetch(`${url}/jobs/cancel`, { method: "POST", body });
  return { status: answer.status, document: await answer.json() };
}

async function submit(url: string, body: object): Promise<string> {
  const answer = await fetch(`${url}/jobs`, { method: "POST", body: JSON.stringify(body) });
  return ((await answer.json()) as { job_id: string }).job_id;
}

async function stateOf(url: string, id: string): Promise<string> {
  return ((await (await fetch(`${url}/jobs/${id}`)).json()) as { state: string }).state;
}

describe("POST /jobs/cancel", () => {
  const slow = {
    models: [{ name: "a" }, { name: "b" }].map((m) => ({ ...m, tokens: 9_999, tokenMs: 20 })),
  };
  const atOnce = { FOREMAN_DRAIN_TIMEOUT: "10ms" };
  const chat = (model: string) => ({ model, messages: [{ role: "user", content: "hi" }] });

  test("ends what waits of a model, lets what runs run on, and says how many", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url, atOnce);
    const running = await submit(foreman.url, chat("a"));
    await until("it runs", async () => (await stateOf(foreman.url, running)) === "working");
    const ids = { a: [] as string[], b: [] as string[] };
    for (let i = 0; i < 5; i++) {
      ids.a.push(await submit(foreman.url, chat("a")));
      ids.b.push(await submit(foreman.url, chat("b")));
    }

    const one = await cancel(foreman.url, { model: "b", state: "queued" });
    const rest = await cancel(foreman.url, { all: true });
    const nobody = await cancel(foreman.url, { client: "nobody" });

    expect([one, rest, nobody]).toEqual(
      [5, 5, 0].map((cancelled) => ({ status: 200, document: { cancelled } })),
    );
    for (const id of [...ids.a, ...ids.b]) expect(await stateOf(foreman.url, id)).toBe("cancelled");
    expect(await stateOf(foreman.url, running)).toBe("working");
    expect(requestsTo(sim.journal.events, "/api/chat")).toHaveLength(1);
    expect(await cancel(foreman.url, { all: true, running: true })).toMatchObject({
      document: { cancelled: 1 },
    });
    expect(await stateOf(foreman.url, running)).toBe("cancelled");
  });

  test("refuses a filter that is empty or makes no sense, and cancels nothing", async () => {
    const sim = await startSim(slow);
    const foreman = await startForeman(sim.url, atOnce);
    await submit(foreman.url, chat("a"));
    const waiting = await submit(foreman.url, chat("a"));
    const unsound: readonly (readonly [filter: string, message: RegExp])[] = [
      ["{}", /^name a model or a client, or say \{"all":true\}/],
      ['{"state":"queued"}', /^name a model or a client/],
      ['{"running":true}', /^name a model or a client/],
      ['{"all":false}', /^all: all is true, or is left out/],
      ['{"all":true,"client":"x"}', /^"all" leaves no room/],
      ['{"state":"done"}', /^state: state is "queued"/],
      ['{"modell":"x"}', /modell/],
      ['{"model":""}', /^model: /],
      ["[]", /^a JSON object is wanted/],
      ["", /^a JSON object is wanted/],
      [`{"model":"${"x".repeat(20_000)}"}`, /larger than a filter may be \(16384 bytes\)/],
    ];

    for (const [filter, message] of unsound) {
      const { document, status } = await cancel(foreman.url, filter);
      expect([400, 413]).toContain(status);
      expect((document as { error: string }).error).toMatch(message);
    }

    expect(await stateOf(foreman.url, waiting)).toBe("queued");
  });
});

describe("a cancel of many during which the daemon dies", () => {
  test("Q12: has cancelled some for good; the rest waits, and is cancelled when asked again", async () => {
    const scene = await KillScene.open();
    await scene.boot();
    const stall = scene.stallAfter(1);
    const running = await scene.submit(chatAbout("running"));
    await scene.sees("token");
    const ids: string[] = [];
    for (let i = 0; i < 2_000; i += 50) {
      const some = Array.from({ length: 50 }, (_, n) => scene.submit(chatAbout(`job ${i + n}`)));
      ids.push(...(await Promise.all(some)));
    }

    for (const id of ids) scene.history.asksToCancel(id);
    const client = new RawClient(scene.port);
    await once(client.socket, "connect");
    client.post("/jobs/cancel", { all: true });
    await until("its bytes are out", () => client.socket.writableLength === 0);
    scene.killAsSoonAs((rows) => rows.some(({ state }) => state === "cancelled"));
    await scene.kill();
    expect(client.text).toBe("");
    const counts = (state: string) => scene.rows().filter((row) => row.state === state).length;
    const [ended, left] = [counts("cancelled"), counts("queued")];
    expect(ended).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(0);
    expect(ended + left).toBe(2_000);

    stall.release();
    scene.stallAfter(1);
    await scene.boot();
    await until(
      "the first runs again",
      async () => (await scene.show(running)).state === "working",
    );
    const again = await cancel(scene.url, { all: true });

    expect(again.document).toEqual({ cancelled: left });
    expect(counts("cancelled")).toBe(2_000);
    for (const id of ids.slice(-3))
      expect(await scene.show(id)).toMatchObject({ state: "cancelled" });
    await scene.cancel(running);
    scene.expectSound();
  }, 40_000);
});
