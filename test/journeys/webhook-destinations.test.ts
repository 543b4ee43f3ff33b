/** Where the webhooks of the whole daemon may go, and where not. */
import { describe, expect, test } from "vitest";
import { answersWith, Receiver } from "../support/receiver.ts";
import { type RunningForeman, startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { allowing, chat, saying, statusOf, submit } from "../support/webhook-scene.ts";

describe("a submission", () => {
  const refusal = async (foreman: RunningForeman, webhook: unknown) => {
    const body = JSON.stringify({ ...chat(null), state_webhook_url: webhook });
    const answer = await fetch(`${foreman.url}/jobs`, { method: "POST", body });
    return { status: answer.status, error: ((await answer.json()) as { error?: string }).error };
  };

  test("to a host that is not allowed is refused, naming it and the setting", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_WEBHOOK_ALLOW: "velocity.lan:8000" });

    expect(await refusal(foreman, "https://elsewhere.test/x")).toEqual({
      status: 400,
      error: "state_webhook_url names elsewhere.test:443, which is not in FOREMAN_WEBHOOK_ALLOW",
    });
    expect((await refusal(foreman, "http://velocity.lan:8001/x")).status).toBe(400);
    expect((await refusal(foreman, "http://velocity.lan:8000/x")).status).toBe(202);
    expect((await refusal(foreman, null)).status).toBe(202);
    const ofLength = (letters: number) => "http://velocity.lan:8000/".padEnd(letters, "x");
    expect((await refusal(foreman, ofLength(2_048))).status).toBe(202);
    for (const odd of ["", "/x", 7, ["http://velocity.lan:8000/x"], ofLength(2_049)]) {
      expect(await refusal(foreman, odd)).toMatchObject({
        status: 400,
        error: expect.stringContaining("state_webhook_url"),
      });
    }
  });

  test("asking for a webhook of a foreman that calls none is refused", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url);

    expect(await refusal(foreman, "https://velocity.lan/x")).toMatchObject({
      status: 400,
      error: expect.stringContaining("FOREMAN_WEBHOOK_ALLOW is empty"),
    });
    expect((await statusOf(foreman.url)).webhooks).toEqual({
      ...{ left: 0, oldest_at: null, failing: [] },
    });
  });

  test("A9: to what foreman must not reach is refused, however it is spelled", async () => {
    const sim = await startSim();
    const foreman = await startForeman(sim.url, { FOREMAN_WEBHOOK_ALLOW: "velocity.lan:*" });

    const spellings = ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]"];
    const others = ["[::ffff:127.0.0.1]", "169.254.169.254", "[64:ff9b::7f00:1]", "１２７.0.0.1"];
    for (const host of [...spellings, ...others, "velocity.lan@127.0.0.1"]) {
      expect(await refusal(foreman, `http://${host}/x`)).toMatchObject({ status: 400 });
    }
  });
});

describe("A9: a name that is allowed", () => {
  test("and stands for another address at each look-up is called at the one that was checked", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const lookUps: string[] = [];
    const resolve = async (name: string) => {
      lookUps.push(name);
      const address = lookUps.length % 2 === 1 ? "127.0.0.1" : "169.254.169.254";
      return [{ address, family: 4 }];
    };
    const allowed = { FOREMAN_WEBHOOK_ALLOW: `flips.test:${receiver.port}` };
    const foreman = await startForeman(sim.url, allowed, { resolve });

    await submit(foreman.url, chat(`http://flips.test:${receiver.port}/x`));
    await until("the second is tried", () => saying(foreman, "webhook not rec").length === 1);

    // Had one look-up been checked and another one called, the first could not have come.
    expect(receiver.states).toEqual(["queued"]);
    expect(lookUps).toEqual(["flips.test", "flips.test"]);
    expect(saying(foreman, "webhook not received")[0]?.problem).toBe(
      "flips.test is 169.254.169.254, an address that no name may stand for",
    );
  });

  test("by a wildcard is not called where it stands for this machine", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const foreman = await startForeman(
      sim.url,
      { FOREMAN_WEBHOOK_ALLOW: `*.partner.test:${receiver.port}` },
      { resolve: async () => [{ address: "127.0.0.1", family: 4 }] },
    );

    await submit(foreman.url, chat(`http://hooks.partner.test:${receiver.port}/x`));
    await until("it is tried", () => saying(foreman, "webhook not received").length === 1);

    expect(saying(foreman, "webhook not received")[0]?.problem).toContain(
      "hooks.partner.test is 127.0.0.1, a private address",
    );
    expect(receiver.received).toEqual([]);
  });

  test("by its full name may stand for a machine of this network", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open();
    const asked: string[] = [];
    const foreman = await startForeman(
      sim.url,
      { FOREMAN_WEBHOOK_ALLOW: `velocity.test:${receiver.port}` },
      {
        resolve: async (name) => {
          asked.push(name);
          return [{ address: "127.0.0.1", family: 4 }];
        },
      },
    );

    await submit(foreman.url, chat(`http://VELOCITY.test.:${receiver.port}/x`));
    await until("it is told", () => receiver.states.includes("done"));

    expect(receiver.received[0]?.headers.host).toBe(`velocity.test:${receiver.port}`);
    expect(asked).toHaveLength(4);
  });

  test("no longer after a restart is told nothing, and the log names the setting", async () => {
    const sim = await startSim();
    const receiver = await Receiver.open(answersWith(503));
    const first = await startForeman(sim.url, allowing(receiver));
    await submit(first.url, chat(receiver.url));
    await until("it is tried", () => saying(first, "webhook not received").length === 1);
    await first.stop();
    const tries = receiver.received.length;

    const second = await startForeman(sim.url, { FOREMAN_DB: first.databaseFile });
    await until(
      "it is due again",
      () => saying(second, "webhook not received").length === 1,
      9_000,
    );

    expect(saying(second, "webhook not received")[0]?.problem).toMatch(/FOREMAN_WEBHOOK_ALLOW/);
    expect(receiver.received.length).toBe(tries);
  });
});
