import pino from "pino";
import { systemClock } from "../../../src/clock.ts";
import type { ForemanError } from "../../../src/errors.ts";
import { openSqliteStore } from "../../../src/store/sqlite/open-sqlite-store.ts";
import type { SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

/** Opens a store that tells nobody; a fatal failure that the test does not expect is thrown. */
export function openForTest(
  file: string,
  options: {
    migrations?: URL;
    diskFloorBytes?: number;
    onFatal?: (failure: ForemanError) => void;
  } = {},
): Promise<SqliteStore> {
  return openSqliteStore({
    databaseFile: file,
    log: pino({ level: "silent" }),
    clock: systemClock,
    onFatal: (failure) => {
      throw failure;
    },
    ...options,
  });
}
