import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BatchReader, type BatchReading } from "../../src/runtime/batches/read-batch.ts";
import { canonicalize } from "../../src/runtime/canonical-json.ts";
import type { PackedItems } from "../../src/store/batch-store.ts";

const item = (id: string, more: object = {}) => ({
  request_id: id,
  messages: [{ role: "user", content: `tell of ${id}` }],
  ...more,
});

const head = { provider: "ollama", model: "m", job_type: "planning" };

/** Reads a batch that arrives in small chunks: what it came to, and its packs. */
function read(body: string | Buffer, limits = { itemsMax: 50, itemBytesMax: 5_000 }) {
  const packs: PackedItems[] = [];
  const reader = new BatchReader({ ...limits, onItems: (pack) => packs.push(pack) });
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += 11) reader.write(bytes.subarray(at, at + 11));
  return { reading: reader.end(), packs };
}

const problems = (reading: BatchReading) =>
  reading.kind === "refused"
    ? reading.problems.map(({ loc, msg, type }) => `${loc.join(".")}: ${type}: ${msg}`)
    : [];

describe("reading a batch", () => {
  test("hands its items on in order, as canonical JSON with their hashes", () => {
    const items = [item("b", { temperature: 1 }), item("a")];

    const { packs, reading } = read(JSON.stringify({ ...head, items }));

    expect(reading).toMatchObject({ kind: "read", summary: { itemCount: 2, head } });
    const [pack] = packs;
    expect(packs).toHaveLength(1);
    expect(pack).toMatchObject({ firstNo: 1, requestIds: ["b", "a"] });
    const first = Buffer.from(pack?.requests.subarray(0, pack.ends[0]) ?? []).toString();
    expect(first).toBe(canonicalize(items[0]));
    const hash = createHash("sha256").update(first).digest("hex");
    expect(pack?.payloadHashes[0]).toBe(hash);
  });

  test("frames the items so that the whole is the canonical JSON of what was sent", () => {
    const items = [item("a"), item("b")];
    const body = { zebra: [{ b: 1, a: "é" }], ...head, items, "items!": 2, Items: null };

    const { packs, reading } = read(JSON.stringify(body, null, 2));

    if (reading.kind !== "read") throw new Error("refused");
    const { after, before } = reading.summary;
    let start = 0;
    const texts = [...(packs[0]?.ends ?? [])].map((end) => {
      const text = Buffer.from(packs[0]?.requests.subarray(start, end) ?? []).toString();
      start = end;
      return text;
    });
    expect(before + texts.join(",") + after).toBe(canonicalize(body));
  });

  test("takes white space behind a batch for nothing", () => {
    const { reading } = read(`${JSON.stringify({ ...head, items: [item("a")] })}\r\n\t `);

    expect(reading).toMatchObject({ kind: "read", summary: { itemCount: 1 } });
  });

  test("names both places of a request_id that is used twice", () => {
    const { reading } = read(JSON.stringify({ ...head, items: [item("a"), item("b"), item("a")] }));

    expect(problems(reading)).toEqual([
      'body.items.2.request_id: value_error: request_id "a" was used by items[0] and items[2]',
    ]);
  });

  test("I5 tells of each bad item where it stands, and hands none behind it on", () => {
    const items = [item("a"), { request_id: "b" }, item("c", { messages: [] }), item("d"), 7];

    const { packs, reading } = read(JSON.stringify({ ...head, items }));

    expect(problems(reading)).toEqual([
      "body.items.1.messages: missing: Field required",
      expect.stringMatching(/^body\.items\.2\.messages: too_short/),
      expect.stringMatching(/^body\.items\.4: model_attributes_type/),
    ]);
    expect(packs.flatMap(({ requestIds }) => requestIds)).not.toContain("d");
  });

  test.each([
    ["", "body: json_invalid"],
    ["[]", "body: model_attributes_type"],
    ["{}", "body.items: missing"],
    ['{"items":[]}', "body.items: too_short"],
    ['{"items":{}}', "body.items: list_type"],
    ['{"job_type":"x","items":[', "body: json_invalid"],
    ['{"items":[],"items":[]}', "body.items: value_error"],
    ['{"items":[1],"items":{}}', "body.items: value_error: items is given more than once"],
    ['{"items":[]}{"items":[]}', "body: json_invalid"],
    ['{"items":[]} \n x', "body: json_invalid"],
  ])("refuses %s", (body, problem) => {
    expect(problems(read(body).reading).join("\n")).toContain(problem);
  });

  test("names the members of the head that are wrong", () => {
    const body = { provider: "openai", model: 7, items: [item("a")] };

    expect(problems(read(JSON.stringify(body)).reading).join("\n")).toMatch(
      /body\.provider: literal_error[\s\S]*body\.model: string_type[\s\S]*body\.job_type: missing/,
    );
  });

  test("bounds the items in number and size, on both sides of the bound", () => {
    const limits = { itemsMax: 3, itemBytesMax: 200 };
    const of = (count: number) =>
      JSON.stringify({ ...head, items: Array.from({ length: count }, (_, i) => item(`${i}`)) });
    const large = (letters: number) =>
      JSON.stringify({ ...head, items: [item("x".repeat(letters))] });

    expect(read(of(3), limits).reading.kind).toBe("read");
    expect(problems(read(of(4), limits).reading)[0]).toContain("at most 3 items");
    expect(read(large(50), limits).reading.kind).toBe("read");
    expect(problems(read(large(150), limits).reading)[0]).toContain("larger than 200 bytes");
  });

  test.each([
    [
      "a number past a float's range",
      '{"request_id":"a","messages":[{"role":"user","content":"x"}],"more":1e999}',
      "Infinity",
    ],
    [
      "half a surrogate pair",
      '{"request_id":"a","messages":[{"role":"user","content":"\\ud800"}]}',
      "surrogate",
    ],
    ["bytes that are no UTF-8", Buffer.from('{"request_id":"\xff"}', "latin1"), "UTF-8"],
  ])("refuses an item with %s, which no canonical JSON can tell", (_, text, word) => {
    const parts = ['{"job_type":"x","items":[', text, "]}"].map((part) => Buffer.from(part));

    const [problem] = problems(read(Buffer.concat(parts)).reading);

    expect(problem).toMatch(/^body\.items\.0/);
    expect(problem).toContain(word);
  });

  test.each([
    ["a number past a float's range", '"more":{"a":1e999}', "body.more", "Infinity"],
    ["half a surrogate pair", '"more":["\\ud800"]', "body.more", "surrogate"],
    ["half a surrogate pair in its name", '"\\ud800":1', "body.\ud800", "surrogate"],
    ["bytes that are no UTF-8", '"more":"\xff"', "body.more", "UTF-8"],
    ["a thousand brackets", `"more":${"[".repeat(1_000)}${"]".repeat(1_000)}`, "body.more", "deep"],
  ])("refuses any other member with %s, and goes on to live", (_, member, place, word) => {
    const text = `{"job_type":"x",${member},"items":[${JSON.stringify(item("a"))}]}`;

    const [problem] = problems(read(Buffer.from(text, "latin1")).reading);

    expect(problem).toMatch(new RegExp(`^${place}: value_error: .*${word}`));
  });

  test("packs many items, each pack where the last one ended", () => {
    const items = Array.from({ length: 1_201 }, (_, i) => item(String(i)));

    const { packs } = read(JSON.stringify({ ...head, items }), {
      ...{ itemsMax: 2_000, itemBytesMax: 5_000 },
    });

    expect(packs.map(({ ends, firstNo }) => [firstNo, ends.length])).toEqual([
      [1, 500],
      [501, 500],
      [1_001, 201],
    ]);
  });
});
