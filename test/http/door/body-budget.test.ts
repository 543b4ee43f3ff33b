import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { BodyBudget } from "../../../src/http/door/body-budget.ts";
import { headOf, received } from "../received.ts";

const request = headOf("POST /api/chat HTTP/1.1");

describe("the memory for bodies", () => {
  test("is taken to its last byte, by one request or by several", async () => {
    const budget = new BodyBudget(10);
    const [first, second] = [await received(request), await received(request)];
    const [hold, other] = [budget.holderFor(first.outgoing), budget.holderFor(second.outgoing)];

    hold(4);
    hold(3);
    other(3);

    for (const full of [hold, other]) {
      expect(() => full(1)).toThrow(
        expect.objectContaining({ code: "queue_full", statusCode: 503, retryAfterS: 10 }),
      );
    }
  });

  test("is given back once the answer was sent, all of it and nobody else's", async () => {
    const budget = new BodyBudget(10);
    const [first, second] = [await received(request), await received(request)];
    const hold = budget.holderFor(first.outgoing);
    hold(4);
    hold(2);
    budget.holderFor(second.outgoing)(4);

    first.outgoing.end("answer");
    await once(first.outgoing, "close");

    const third = budget.holderFor((await received(request)).outgoing);
    expect(() => third(7)).toThrow("server busy");
    third(6);
  });

  test("is given back when the client goes without its answer", async () => {
    const budget = new BodyBudget(10);
    const { outgoing, socket } = await received(request);
    budget.holderFor(outgoing)(10);

    socket.destroy();
    await once(outgoing, "close");

    budget.holderFor((await received(request)).outgoing)(10);
  });

  test("is given back once by a request that came in chunks, whose size nobody knew", async () => {
    const budget = new BodyBudget(10);
    const { outgoing, socket } = await received(request);
    const hold = budget.holderFor(outgoing);
    hold(0);
    hold(6);

    socket.destroy();
    await once(outgoing, "close");

    const next = budget.holderFor((await received(request)).outgoing);
    expect(() => next(11)).toThrow("server busy");
  });
});
