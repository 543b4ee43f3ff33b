import { describe, expect, test } from "vitest";
import { Inventory } from "../../src/target/inventory.ts";
import { Surveyor } from "../../src/target/surveyor.ts";
import { type Asked, FakeTarget } from "../support/fake-target.ts";
import { logLines } from "../support/log-lines.ts";
import { ManualClock } from "../support/manual-clock.ts";

const weights = "a".repeat(64);
const written = "2026-11-24T10:51:43.789256453Z";

type Listed = {
  readonly name: string;
  readonly digest: string;
  readonly modified_at?: string;
  readonly remote_host?: string;
};

const shown = (more: object = {}) => ({
  modelfile: `FROM /models/blobs/sha256-${weights}\nTEMPLATE x\n`,
  modified_at: written,
  ...more,
});

function scene(answer: (asked: Asked) => void = (asked) => asked.json(shown())) {
  const clock = new ManualClock();
  const target = new FakeTarget(answer);
  const inventory = new Inventory();
  const { lines, log } = logLines("info");
  let learned = 0;
  const onLearned = () => {
    learned += 1;
  };
  const surveyor = new Surveyor({ target, inventory, clock, log, onLearned });
  /** A poll that lists these, and what follows from it. */
  const polled = async (...models: readonly Listed[]) => {
    const body = Buffer.from(JSON.stringify({ models }));
    inventory.accept("/api/tags", { contentType: "application/json", body });
    const surveyed = surveyor.survey();
    await clock.settle();
    return { surveyed };
  };
  const names = () => target.asked.map(({ bodyText }) => JSON.parse(bodyText) as unknown);
  return { clock, target, inventory, lines, surveyor, polled, names, learned: () => learned };
}

const one = { name: "one:latest", digest: "d1", modified_at: written };
const two = { name: "two:latest", digest: "d2", modified_at: written };

describe("the survey of the target's models", () => {
  test("asks for each manifest once, in the name of one of its models", async () => {
    const { inventory, learned, names, polled, target } = scene();

    await polled(one, two, { ...one, name: "copy:latest" });
    await polled(one, two, { ...one, name: "copy:latest" });

    expect(target.asked[0]?.request).toMatchObject({ method: "POST", path: "/api/show" });
    expect(names()).toHaveLength(2);
    expect(inventory.blueprint("d1")?.weights).toBe(weights);
    expect(inventory.blueprint("d2")?.weights).toBe(weights);
    expect(learned()).toBe(2);
  });

  test("asks nothing between two readings of the list, whoever calls for it", async () => {
    const { polled, surveyor, target } = scene((asked) => asked.json({}, 500));
    await polled(one);

    await surveyor.survey();
    await surveyor.survey();

    expect(target.asked).toHaveLength(1);
  });

  test("asks for no model that runs elsewhere, nor for one without a digest", async () => {
    const { polled, target } = scene();

    await polled({ ...one, remote_host: "https://ollama.com" }, { name: "odd:latest", digest: "" });

    expect(target.asked).toEqual([]);
  });

  test("has two questions at the target at once, and no more", async () => {
    const { clock, polled, target } = scene(() => {});
    const many = [1, 2, 3, 4, 5].map((each) => ({ name: `m${each}`, digest: `d${each}` }));

    await polled(...many);
    expect(target.asked).toHaveLength(2);
    target.asked[0]?.json(shown());
    await clock.settle();

    expect(target.asked).toHaveLength(3);
  });

  test("forgets what it learned of a manifest that is gone, and asks again if it returns", async () => {
    const { inventory, polled, target } = scene();
    await polled(one, two);

    await polled(two);
    expect(inventory.blueprint("d1")).toBeNull();
    expect(inventory.blueprint("d2")).not.toBeNull();
    await polled(one, two);

    expect(target.asked).toHaveLength(3);
  });

  test("takes no other manifest's answer, when the name was given away since the poll", async () => {
    const { inventory, polled } = scene((asked) =>
      asked.json(shown({ modified_at: "2026-11-24T10:51:44Z" })),
    );

    await polled(one);

    expect(inventory.blueprint("d1")).toBeNull();
  });

  test("takes no answer that comes when the manifest is gone", async () => {
    const { clock, inventory, polled, target } = scene(() => {});
    await polled(one);
    await polled(two);

    target.asked[0]?.json(shown());
    await clock.settle();

    expect(inventory.blueprint("d1")).toBeNull();
  });

  test("takes an answer of an older version, which tells no time", async () => {
    const { inventory, polled } = scene((asked) => asked.json(shown({ modified_at: undefined })));

    await polled({ name: "one:latest", digest: "d1" });

    expect(inventory.blueprint("d1")).not.toBeNull();
  });
});

describe("a target that cannot tell", () => {
  test.each([
    ["is too old for it", (asked: Asked) => asked.json({ error: "not found" }, 404)],
    ["answers a page", (asked: Asked) => asked.head().chunk("<html>hello</html>").end()],
    ["answers another document", (asked: Asked) => asked.json(["hello"])],
    ["names no blob", (asked: Asked) => asked.json(shown({ modelfile: "FROM one:latest\n" }))],
    ["answers without end", (asked: Asked) => asked.head().chunk(Buffer.alloc(5e6)).end()],
  ])("because it %s, is asked three times, and left alone with one line", async (_, answer) => {
    const { inventory, lines, polled, target } = scene(answer);

    for (let poll = 0; poll < 5; poll += 1) await polled(one, two);

    expect(target.asked).toHaveLength(6);
    expect(inventory.blueprint("d1")).toBeNull();
    expect(lines).toMatchObject([{ level: 30, models: ["one:latest", "two:latest"] }]);
  });

  test("is asked anew when it is another version", async () => {
    let isOld = true;
    const { inventory, polled } = scene((asked) => {
      if (isOld) asked.json({ error: "not found" }, 404);
      else asked.json(shown());
    });
    const version = (text: string) => {
      const body = Buffer.from(JSON.stringify({ version: text }));
      inventory.accept("/api/version", { contentType: "application/json", body });
    };
    version("0.0.1");
    for (let poll = 0; poll < 4; poll += 1) await polled(one);
    expect(inventory.blueprint("d1")).toBeNull();

    isOld = false;
    version("0.33.0");
    await polled(one);

    expect(inventory.blueprint("d1")).not.toBeNull();
  });

  test("because it is gone, is asked no further question before the next poll", async () => {
    const { lines, polled, target } = scene((asked) => asked.fail("unreachable"));
    const many = [1, 2, 3, 4, 5].map((each) => ({ name: `m${each}`, digest: `d${each}` }));

    for (let poll = 0; poll < 4; poll += 1) await polled(...many);

    expect(target.asked).toHaveLength(8);
    expect(lines).toEqual([]);
  });

  test("because it is silent, is given ten seconds, and not a moment more", async () => {
    const { clock, polled, surveyor, target } = scene(() => {});
    const { surveyed } = await polled(one);

    await clock.advance(9_999);
    expect(target.asked[0]?.isAborted).toBe(false);
    await clock.advance(1);
    await surveyed;

    expect(target.asked[0]?.isAborted).toBe(true);
    expect(clock.pendingCount).toBe(0);
    await surveyor.stop();
  });
});

describe("a survey that is stopped", () => {
  test("breaks off its questions, and asks no more", async () => {
    const { clock, polled, surveyor, target } = scene(() => {});
    const many = [1, 2, 3, 4].map((each) => ({ name: `m${each}`, digest: `d${each}` }));
    await polled(...many);

    await surveyor.stop();
    await surveyor.stop();
    await polled(one);

    expect(target.asked.map(({ isAborted }) => isAborted)).toEqual([true, true]);
    expect(clock.pendingCount).toBe(0);
  });
});
