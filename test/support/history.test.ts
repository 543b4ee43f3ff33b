/** The history checker is only worth its word if it sees what is wrong: databases are tampered with. */
import { copyFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { History } from "./history.ts";
import { chatAbout, KillScene } from "./kill-scene.ts";

/** Two jobs that were done, one under a key, and copies of their database to tamper with. */
async function withDone() {
  const scene = await KillScene.open();
  await scene.boot();
  const ids = [await scene.submit(chatAbout("one", 8)), await scene.submit(chatAbout("two"), "k")];
  for (const id of ids) await scene.ended(id);
  await scene.kill();
  // A writer folds the log in at its close, so that the file alone is the database.
  new Database(scene.file).exec("UPDATE heartbeat SET beats = beats").close();
  let copies = 0;
  const tampered = (sql: string) => {
    copies += 1;
    const file = `${scene.file}.${copies}`;
    copyFileSync(scene.file, file);
    const history = new History(file);
    for (const [i, id] of ids.entries()) history.acknowledged(id, i === 1 ? "k" : null);
    for (const id of ids) history.told(id, "done");
    history.inspect();
    new Database(file).exec(sql).close();
    return history;
  };
  return { ids, tampered, events: scene.events };
}

const cases: readonly (readonly [string, RegExp])[] = [
  ["DELETE FROM job WHERE seq = 1", /^I1 \w+ is lost$/m],
  ["UPDATE job SET state = 'working', ended_at_ms = NULL", /^I1 I10 \w+ is working at the end$/m],
  ["UPDATE job SET state = 'failed', end_reason = 'stalled'", /^I2 .* is failed$/m],
  ["UPDATE job SET end_message = 'x'", /^I2 \w+: its end was changed$/m],
  ["DELETE FROM answer", /^I3 \w+: done without an answer$/m],
  [
    `UPDATE answer SET (body, is_compressed) =
       (SELECT body, is_compressed FROM answer WHERE seq = 2) WHERE seq = 1`,
    /^I3 \w+: kept ".*", sent ".*"$/m,
  ],
  ["UPDATE job SET attempts = 0", /^I5 \w+: 1 starts, 0 attempts/m],
  ["UPDATE job SET idempotency_key = 'other' WHERE seq = 2", /^I9 key k has 0 rows$/m],
  ["INSERT INTO payload VALUES (1, x'00')", /^1 prompts are kept/m],
  ["UPDATE job SET end_reason = 'poison_item'", /^Q9 /m],
];

describe("the history checker", () => {
  test("finds nothing where nothing is wrong, and in the database whatever is", async () => {
    const { events, tampered } = await withDone();

    expect(tampered("SELECT 1").violations(events)).toEqual([]);
    for (const [sql, violation] of cases) {
      expect(tampered(sql).violations(events).join("\n"), sql).toMatch(violation);
    }
  });

  test("finds in the journal an overlap, a late start, and the words of another start", async () => {
    const { events, ids, tampered } = await withDone();
    const doubled = events.flatMap((event) =>
      event.kind === "generate-start" ? [event, { ...event, requestId: "another" }] : [event],
    );
    const again = doubled.map(({ requestId, ...event }) => ({
      ...event,
      atMs: event.atMs + 60_000,
      ...(requestId !== undefined && { requestId: `${requestId} again` }),
    }));
    const later = [...doubled, ...again];
    const history = tampered("SELECT 1");

    history.told(ids[0] ?? "", "cancelled");
    const found = history.violations(later).join("\n");

    expect(found).toMatch(/^I2 \w+ was done, now cancelled$/m);
    expect(found).toMatch(/^I3 \w+: the right words, of another start$/m);
    expect(found).toMatch(/^I4 too many generations/m);
    expect(found).toMatch(/^I7 \w+ started after it was cancelled$/m);
  });
});
