import Database from "better-sqlite3";
import { ForemanError } from "../../errors.ts";
import type { Failure } from "./thread-message.ts";

/**
 * How far an error reaches. `full`: nothing was changed, and it may work again. `verb`: the
 * caller's mistake, such as an id that exists. `fatal`: after a failed write or sync nobody knows
 * what of the page cache is on the disk, so the only truth is what the next start reads.
 */
export type Reach = "full" | "verb" | "fatal";

/** Sorts an error of a statement's (https://www.sqlite.org/rescode.html) or of a sync's. */
export function reachOf(error: unknown): Reach {
  if (!(error instanceof Database.SqliteError)) return isOfSystem(error) ? "fatal" : "verb";
  // The second is a full disk as well: no room for the shared memory's next page.
  if (error.code === "SQLITE_FULL" || error.code === "SQLITE_IOERR_SHMSIZE") return "full";
  const isOurMistake = /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(error.code);
  return isOurMistake ? "verb" : "fatal";
}

/** A call of the kernel's that failed, such as a sync. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/** What the caller of a verb is told; `what` names the verb. */
export function verbFailure(error: unknown, what: string, file: string): Failure {
  const cause = causeOf(error);
  if (error instanceof ForemanError) return { code: error.code, message: error.message, cause };
  const reach = reachOf(error);
  switch (reach) {
    case "full":
      return {
        code: "storage_full",
        message: `no space left for ${file}: ${what} changed nothing; free space on its disk`,
        cause,
      };
    case "verb":
      return { code: "internal", message: `${what} was refused by ${file}: ${cause}`, cause };
    case "fatal":
      return {
        code: "storage_failed",
        message:
          `${file} failed at ${what}: ${cause}; foreman must stop here ` +
          "and recover from the disk at its next start",
        cause,
      };
    default:
      return reach satisfies never;
  }
}

/** Why a database could not be opened. */
export function openFailure(error: unknown, file: string): Failure {
  const cause = causeOf(error);
  if (error instanceof ForemanError) return { code: error.code, message: error.message, cause };
  if (isDamage(error))
    return { code: "database_damaged", message: damageMessage(file, cause), cause };
  if (reachOf(error) === "full") {
    return { code: "storage_full", message: `no space left to open ${file}`, cause };
  }
  return { code: "storage_failed", message: `cannot open ${file}: ${cause}`, cause };
}

/** A failure that came from a thread or a chore, as it is thrown to whoever asked. */
export function thrown({ cause, code, message }: Failure): ForemanError {
  return new ForemanError(code, message, { cause });
}

/** What to say of a file that is no sound database. */
export function damageMessage(file: string, detail: string): string {
  return (
    `${file} is damaged: ${detail}; foreman has not touched it. ` +
    "Put a sound copy in its place, or move it and its -wal away to begin anew"
  );
}

function isDamage(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

function causeOf(error: unknown): string {
  if (error instanceof Database.SqliteError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
