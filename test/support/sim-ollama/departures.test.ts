import { describe, expect, test, vi } from "vitest";
import { ask, chatBody, dial, post, requestText, simFor } from "./ask.ts";
import { kinds, oneAtATime, other, quiet, seen, slow } from "./small-scene.ts";

describe("a client that leaves", () => {
  test("cuts a generation whose client leaves, and frees its slot", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 10_000 }] });
    const client = dial(sim).setNoDelay();
    client.write(requestText("POST", "/api/chat", chatBody("slow")));
    await seen(sim, "generate-start");

    client.destroy();

    await seen(sim, "generate-end");
    const end = sim.journal.events.find(({ kind }) => kind === "generate-end");
    expect(end?.outcome).toBe("cancelled");
    const next = quiet("slow", { options: { num_predict: 1 } });
    expect((await post(sim, "/api/chat", next)).status).toBe(200);
  });

  test("takes a client that closes its own side for one that left, and tells it why", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 10_000 }] });
    const client = dial(sim);
    const pieces: string[] = [];
    client.on("data", (piece) => pieces.push(piece.toString("latin1")));
    client.write(requestText("POST", "/api/chat", chatBody("slow")));
    await seen(sim, "generate-start");

    client.end();

    await vi.waitFor(() => expect(pieces.join("")).toContain("context canceled"));
    expect(pieces.join("")).not.toContain('"done":true');
  });

  test("gives up a load whose client leaves; the next one begins anew", async () => {
    const sim = await simFor({ models: [{ ...other, loadMs: 100 }] });
    const client = dial(sim);
    client.write(requestText("POST", "/api/chat", chatBody("other")));
    await seen(sim, "load-start");

    client.destroy();
    const next = await post(sim, "/api/chat", quiet("other"));

    const loads = sim.journal.events.filter(({ kind }) => kind === "load-end");
    expect(loads.map(({ outcome }) => outcome)).toEqual(["cancelled", "complete"]);
    expect(next.status).toBe(200);
  });

  test("never starts the generation of a client that left while it waited for a slot", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 60 }] });
    const first = post(sim, "/api/chat", quiet("slow"));
    await seen(sim, "generate-start");
    const client = dial(sim);
    client.write(requestText("POST", "/api/chat", chatBody("slow")));
    await seen(sim, "slot-wait");

    client.destroy();
    await first;

    expect(kinds(sim).filter((kind) => kind === "generate-start").length).toBe(1);
  });

  test("holds the slot while a client does not read", async () => {
    const sim = await simFor({ models: [{ ...slow, tokens: 200_000, tokenMs: 0 }] });
    const client = dial(sim).pause();
    client.write(requestText("POST", "/api/chat", chatBody("slow")));
    await vi.waitFor(() => expect(kinds(sim)).toContain("generate-start"));
    let sent = -1;
    const tokens = () => kinds(sim).filter((kind) => kind === "token").length;
    await vi.waitFor(
      () => {
        const before = sent;
        sent = tokens();
        expect(sent).toBe(before);
      },
      { interval: 50, timeout: 3_000 },
    );

    const waiting = ask(sim, "POST", "/api/chat", quiet("slow", { options: { num_predict: 1 } }));
    await seen(sim, "slot-wait");
    expect(sent).toBeLessThan(200_000);
    client.destroy();

    expect((await waiting).status).toBe(200);
  });

  test("starves a waiting load by a keep_alive, if it is asked for the bug", async () => {
    const bugs = { keepAliveOverwrite: true, slotLeak: false };
    const sim = await simFor({ ...oneAtATime, bugs });
    const first = post(sim, "/api/chat", quiet("slow"));
    await seen(sim, "generate-start");
    const waiting = post(sim, "/api/chat", quiet("other"));
    await seen(sim, "request", 2);
    const short = { options: { num_predict: 1 }, keep_alive: "1h" };

    await Promise.all([first, post(sim, "/api/chat", quiet("slow", short))]);

    expect(kinds(sim)).not.toContain("evict");
    await post(sim, "/api/generate", { model: "slow", keep_alive: 0 });
    expect((await waiting).status).toBe(200);
  });

  test("leaks the slot of an unfinished upload, if it is asked for the bug", async () => {
    const bugs = { keepAliveOverwrite: false, slotLeak: true };
    const sim = await simFor({ models: [other], bugs });
    await post(sim, "/api/chat", quiet("other"));
    const client = dial(sim);
    const text = requestText("POST", "/api/chat", chatBody("other"));
    client.write(
      text.replace(/Content-Length: (\d+)/, (_, length) => `Content-Length: 9${length}`),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));

    client.destroy();
    await seen(sim, "slot-leak");
    const stuck = post(sim, "/api/chat", quiet("other"));
    await seen(sim, "slot-wait");
    await sim.stop();

    await expect(stuck).rejects.toThrow("fetch failed");
  });
});
