/**
 * Runs one large batch through a daemon that is killed again and again, before a target that goes
 * away, beside a person who chats:
 *
 *   node scripts/batch-storm.ts --items 50000 --kills 5 --seed 7
 *
 * Needs neither a GPU nor Ollama. Exits 1 if a counter was ever wrong or a result is missing.
 */
import { parseArgs } from "node:util";
import { batchStorm } from "../test/support/batch-storm.ts";

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "50000" },
    kills: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now()) },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const { seed } = values;
const [items, kills] = [Number(values.items), Number(values.kills)];
if (!(items >= 1 && items <= 50_000) || !(kills >= 0)) {
  throw new Error("--items is 1 to 50000, and --kills is a number");
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const report = await batchStorm({ items, kills, seed, say });
for (const violation of report.violations) say(`violated: ${violation}`);
say(
  `seed ${seed}: ${items} items, ${kills} kills, an outage, ${report.starts} starts in ` +
    `${report.tookS} s; ${report.chats} chats beside them waited ${report.chatWaitMsMax} ms at ` +
    `most; ${report.violations.length} violations`,
);
process.exitCode = report.violations.length === 0 ? 0 : 1;
