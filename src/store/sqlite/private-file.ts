import { chmodSync, closeSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { getuid } from "node:process";
import { ForemanError } from "../../errors.ts";

const companions = ["", "-wal", "-shm", ".lock"];

/**
 * Makes sure that a database's files are plain, our own, and readable by nobody else: prompts are
 * in them. Creates the folder (0700) if it is not there, and takes group's and others' access from
 * files that exist. Must be called before any of them is opened.
 *
 * Throws ForemanError `config_invalid`, naming the file, for a symbolic link, for what is no file,
 * and for a file of another user: SQLite would follow or trust all three.
 */
export function securePlace(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (const companion of companions) secureFile(`${file}${companion}`);
}

/** Creates an empty file (0600) unless there is one; SQLite itself would go by the umask. */
export function createPrivate(file: string): void {
  // Never opens a file that exists: closing any descriptor of a file drops this process's locks
  // on it (POSIX fcntl), and a store of this process may hold one.
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) {
    closeSync(openSync(file, "wx", 0o600));
  }
}

function secureFile(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isFile()) {
    const what = found.isSymbolicLink() ? "a symbolic link" : "no plain file";
    throw new ForemanError("config_invalid", `refusing ${file}: it is ${what}; name the real file`);
  }
  const own = getuid?.();
  if (own !== undefined && found.uid !== own) {
    throw new ForemanError(
      "config_invalid",
      `refusing ${file}: it belongs to user ${found.uid}, and foreman runs as ${own}; ` +
        "change its owner, or run foreman as that user",
    );
  }
  if ((found.mode & 0o077) !== 0) chmodSync(file, 0o600);
}
