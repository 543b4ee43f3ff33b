import { describe, expect, test } from "vitest";
import type { ForemanError } from "../../../src/errors.ts";
import { ThreadClient } from "../../../src/store/sqlite/thread-client.ts";
import type { WriteVerb } from "../../../src/store/sqlite/verb.ts";

function clientOf(script: string) {
  const fatal: ForemanError[] = [];
  const client = new ThreadClient<WriteVerb>({
    script: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
    workerData: { file: "/somewhere/foreman.db", floorBytes: 0, migrations: "" },
    onFatal: (failure) => fatal.push(failure),
  });
  return { client, fatal };
}

const counting = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", ({ verbs = [] }) => {
    const outcomes = verbs.map(() => ({ kind: "answered", answer: verbs.length }));
    parentPort.postMessage({ kind: "group", outcomes, fatal: null });
  });`;

describe("a thread's client", () => {
  test("sends what is called in one turn of the event loop as one message", async () => {
    const { client } = clientOf(counting);

    const turn = ["a", "b", "c"].map((name) => client.ask({ kind: "recall", name }));
    const sizes = await Promise.all(turn);
    const alone = await client.ask({ kind: "recall", name: "d" });

    expect([sizes, alone]).toEqual([[3, 3, 3], 1]);
    client.fail(new Error("the test is over") as ForemanError);
    await client.close();
  });

  test("tells once that its thread died, and rejects what waits and what comes", async () => {
    const { client, fatal } = clientOf(
      `import { parentPort } from "node:worker_threads";
       parentPort.once("message", () => { throw new Error("a mistake in the thread"); });`,
    );

    const waiting = [client.ask({ kind: "heartbeat" }), client.ask({ kind: "heartbeat" })];

    const told = {
      code: "storage_failed",
      message: expect.stringContaining("/somewhere/foreman.db"),
      cause: expect.objectContaining({ message: "a mistake in the thread" }),
    };
    for (const call of waiting) await expect(call).rejects.toMatchObject(told);
    await expect(client.ask({ kind: "heartbeat" })).rejects.toMatchObject(told);
    await client.close();
    expect(fatal).toMatchObject([told]);
  });

  test("leaves a failed opening to whoever waits for it", async () => {
    const { client, fatal } = clientOf("process.exit(3);");

    await expect(client.opened()).rejects.toMatchObject({ code: "storage_failed" });

    await client.close();
    expect(fatal).toEqual([]);
  });

  test("never starts its thread if nothing was asked of it", async () => {
    const { client, fatal } = clientOf("throw new Error('it ran');");

    await client.close();

    expect(fatal).toEqual([]);
  });
});
