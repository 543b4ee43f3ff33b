/**
 * Preloaded into a daemon (`node --import`): writes every verb that its store commits into a file
 * beside the database, from the moment that the file is there.
 */
import { appendFileSync, existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = `${process.env.FOREMAN_DB}.verbs`;

if (!isMainThread) {
  const { GroupCommit } = await import("../../src/store/sqlite/group-commit.ts");
  const { commit } = GroupCommit.prototype;
  GroupCommit.prototype.commit = function (this: InstanceType<typeof GroupCommit>, verbs) {
    if (existsSync(file)) appendFileSync(file, verbs.map(({ kind }) => `${kind}\n`).join(""));
    return commit.call(this, verbs);
  };
}
