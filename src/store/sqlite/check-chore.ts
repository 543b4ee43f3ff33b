import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import { chore } from "./chore.ts";

// Checks the database that it is given: every page is read, and found in its place. Indexes are
// not held against their tables: that takes four times as long, and a start that finds an index
// too short has the rows to make it anew from.

await chore(([file = ""]) => {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  const verdict = String(database.pragma("quick_check(1)", { simple: true }));
  if (verdict !== "ok") throw new ForemanError("database_damaged", verdict);
  return verdict;
});
