import { describe, expect, test } from "vitest";
import { chatBody, post, postJson, simFor } from "./ask.ts";
import { maxConcurrent, overlaps, swaps } from "./journal-queries.ts";
import { embedder, kinds, oneAtATime, other, quiet, seen, slow } from "./small-scene.ts";

describe("the sim's scheduler", () => {
  test("gives a model's slot to one after another, first come, first served", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 5 }] });

    const answers = [1, 2, 3].map(() => post(sim, "/api/chat", quiet("slow")));
    await Promise.all(answers);

    expect(maxConcurrent(sim.journal.events, "generate")).toBe(1);
    expect(kinds(sim).filter((kind) => kind === "slot-wait").length).toBe(2);
    expect(kinds(sim).filter((kind) => kind === "load-start").length).toBe(1);
  });

  test("runs as many at once as it has slots for", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 10 }], numParallel: 3 });

    await Promise.all([1, 2, 3, 4].map(() => post(sim, "/api/chat", quiet("slow"))));

    expect(maxConcurrent(sim.journal.events, "generate")).toBe(3);
    expect(overlaps(sim.journal.events, 3)).toEqual([]);
    expect(overlaps(sim.journal.events, 1).length).toBeGreaterThan(0);
  });

  test("embeds one input at a time, however many slots there are", async () => {
    const sim = await simFor({ models: [embedder], numParallel: 4 });

    await post(sim, "/api/embed", { model: "embedder", input: ["a", "b", "c"] });

    expect(maxConcurrent(sim.journal.events, "embed")).toBe(1);
    expect(kinds(sim).filter((kind) => kind === "embed-end").length).toBe(3);
  });

  test("evicts only an idle runner, and counts the swap", async () => {
    const sim = await simFor(oneAtATime);

    const first = post(sim, "/api/chat", quiet("slow"));
    await seen(sim, "generate-start");
    await post(sim, "/api/chat", quiet("other"));
    await first;

    const order = kinds(sim);
    expect(order.indexOf("evict")).toBeGreaterThan(order.indexOf("generate-end"));
    expect(sim.loaded).toEqual(["other:latest"]);
    expect(swaps(sim.journal.events)).toBe(1);
    expect(overlaps(sim.journal.events)).toEqual([]);
  });

  test("lets a resident model's requests pass those that wait for a load", async () => {
    const sim = await simFor(oneAtATime);
    const first = post(sim, "/api/chat", quiet("slow"));
    await seen(sim, "generate-start");

    const waiting = post(sim, "/api/chat", quiet("other"));
    await seen(sim, "request", 2);
    const passing = post(sim, "/api/chat", quiet("slow", { options: { num_predict: 1 } }));
    await Promise.all([first, waiting, passing]);

    const starts = sim.journal.events.filter(({ kind }) => kind === "generate-start");
    expect(starts.map(({ model }) => model)).toEqual(["slow", "slow", "other"]);
  });

  test("answers 503 when its queue is full, and never to a resident model", async () => {
    const models = ["a", "b", "c", "d"].map((name) => ({ ...other, name, loadMs: 150 }));
    const sim = await simFor({ models, maxQueue: 1 });

    const loading = post(sim, "/api/chat", quiet("a"));
    await seen(sim, "load-start");
    const queued = post(sim, "/api/chat", quiet("b"));
    await seen(sim, "queue-wait");
    const refused = await post(sim, "/api/chat", quiet("c"));
    const statuses = [(await loading).status, (await queued).status];

    const error = "server busy, please try again.  maximum pending requests exceeded";
    expect([refused.status, await refused.json()]).toEqual([503, { error }]);
    expect(statuses).toEqual([200, 200]);
  });

  test("reloads a model whose load options change, and for no other option", async () => {
    const sim = await simFor({ models: [other] });

    await post(sim, "/api/chat", quiet("other"));
    await post(sim, "/api/chat", quiet("other", { options: { temperature: 0, seed: 3 } }));
    await post(sim, "/v1/chat/completions", chatBody("other"));
    await post(sim, "/api/chat", quiet("other", { options: { num_ctx: 8_192 } }));
    const { models } = await (await fetch(`${sim.url}/api/ps`)).json().then(asPs);

    expect(kinds(sim).filter((kind) => kind === "load-end").length).toBe(2);
    expect(models).toMatchObject([{ name: "other:latest", context_length: 8_192 }]);
  });

  test("lets a copy share the runner of its source", async () => {
    const sim = await simFor({ models: [other] });
    await post(sim, "/api/copy", { source: "other", destination: "twin" });

    await post(sim, "/api/chat", quiet("other"));
    await post(sim, "/api/chat", quiet("twin"));

    expect(kinds(sim).filter((kind) => kind === "load-start").length).toBe(1);
    expect(sim.loaded).toEqual(["other:latest"]);
  });

  test("unloads when the keep-alive is over, at once on 0, and shows when in /api/ps", async () => {
    const sim = await simFor({ models: [other] });

    const loaded = { model: "other", keep_alive: "1h" };
    const answer = await postJson<{ done_reason: string }>(sim, "/api/generate", loaded);
    const { models } = await (await fetch(`${sim.url}/api/ps`)).json().then(asPs);
    const unload = { model: "other", keep_alive: 0 };
    const unloaded = await postJson<{ done_reason: string }>(sim, "/api/generate", unload);

    expect([answer.done_reason, unloaded.done_reason]).toEqual(["load", "unload"]);
    const leftMs = Date.parse(models[0]?.expires_at ?? "") - Date.now();
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(sim.loaded).toEqual([]);
    await post(sim, "/api/generate", { model: "other", keep_alive: "30ms" });
    await seen(sim, "evict", 2);
  });
});

type Ps = { readonly models: readonly { readonly expires_at: string }[] };

function asPs(value: unknown): Ps {
  return value as Ps;
}
