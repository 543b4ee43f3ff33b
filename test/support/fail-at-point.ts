/**
 * Preloaded into a daemon (`node --import`): kills it with -9 at the point that a file beside its
 * database names, such as `settle before` or `settle after`. Foreman knows nothing of it: the seams
 * are the store's one place of commits, and the library that it writes by.
 *
 * A verb's `before` is when all verbs of its group are applied and the COMMIT is next; `after` is
 * when the COMMIT has returned and nobody has been answered.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";
import type { Database as Opened, Statement } from "better-sqlite3";

const armedFile = `${process.env.FOREMAN_DB}.failpoint`;

function reach(points: readonly string[], moment: "before" | "after"): void {
  const armed = fs.existsSync(armedFile) ? fs.readFileSync(armedFile, "utf8") : "";
  if (!points.some((point) => armed === `${point} ${moment}`)) return;
  fs.writeSync(2, `failpoint: ${armed}\n`);
  process.kill(process.pid, "SIGKILL");
}

function around<Result>(points: readonly string[], act: () => Result): Result {
  reach(points, "before");
  const result = act();
  reach(points, "after");
  return result;
}

async function watchStore(): Promise<void> {
  const { default: Database } = await import("better-sqlite3");
  const { GroupCommit } = await import("../../src/store/sqlite/group-commit.ts");
  let group: readonly string[] = [];

  const { commit } = GroupCommit.prototype;
  GroupCommit.prototype.commit = function (this: InstanceType<typeof GroupCommit>, verbs) {
    group = verbs.map(({ kind }) => kind);
    return commit.call(this, verbs);
  };

  const { pragma, prepare, transaction } = Database.prototype;
  Database.prototype.prepare = function (this: Opened, sql: string) {
    const statement: Statement = prepare.call(this, sql);
    const { run } = statement;
    if (sql === "COMMIT") statement.run = () => around(group, () => run.call(statement));
    if (sql.startsWith("VACUUM INTO")) {
      statement.run = (to) => around(["copy"], () => run.call(statement, to));
    }
    return statement;
  } as typeof prepare;

  Database.prototype.pragma = function (this: Opened, source, options) {
    return around([source.replace(/\(.*/, "")], () => pragma.call(this, source, options));
  };

  Database.prototype.transaction = function (this: Opened, act: () => void) {
    const whole = transaction.call(this, () => {
      act();
      reach(["migrate"], "before");
    });
    const immediate = () => {
      whole.immediate();
      reach(["migrate"], "after");
    };
    return Object.assign(() => {}, { immediate });
  } as unknown as typeof transaction;
}

function watchFiles(): void {
  const { renameSync } = fs;
  fs.renameSync = (from, to) => {
    const point = to === process.env.FOREMAN_DB ? "create" : "keep copy";
    around([point], () => renameSync(from, to));
  };
  syncBuiltinESMExports();
}

if (!isMainThread) {
  watchFiles();
  await watchStore();
}
