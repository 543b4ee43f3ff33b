import type { Clock } from "../../clock.ts";
import type { ForemanError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { SqliteUpkeep } from "./sqlite-upkeep.ts";
import { ThreadClient } from "./thread-client.ts";
import type { ReadVerb, WriteVerb } from "./verb.ts";

type Options = {
  /** Path of the database; its folder is created, private, if it is not there. */
  readonly databaseFile: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Called once, when the store has become unusable: end the process, and recover at its start. */
  readonly onFatal: (failure: ForemanError) => void;
  /** So much of its disk is kept free of new durable jobs, in bytes; none if absent. */
  readonly diskFloorBytes?: number;
  /** The folder of migrations; the program's own if absent. */
  readonly migrations?: URL;
};

const ownMigrations = new URL("../migrations/sqlite/", import.meta.url);
const writeThread = new URL("./write-thread.ts", import.meta.url);
const readThread = new URL("./read-thread.ts", import.meta.url);

/**
 * Opens the SQLite store as its only owner, and brings its schema up to date. The database lives
 * in threads of its own, so that no sync of the disk ever stalls a stream.
 *
 * Rejects with ForemanError, each naming the file: `already_running`, `config_invalid` (a symbolic
 * link, or another user's file), `database_damaged`, `schema_newer`, `storage_full` or
 * `storage_failed`. The database is then as it was.
 */
export async function openSqliteStore(options: Options): Promise<SqliteStore> {
  const { databaseFile: file, log, clock } = options;
  const threads: { fail(failure: ForemanError): void }[] = [];
  let isFatal = false;
  const onFatal = (failure: ForemanError) => {
    if (isFatal) return;
    isFatal = true;
    for (const thread of threads) thread.fail(failure);
    options.onFatal(failure);
  };
  const { diskFloorBytes: floorBytes = 0, migrations = ownMigrations } = options;
  const common = { workerData: { file, floorBytes, migrations: migrations.href }, onFatal };
  const writer = new ThreadClient<WriteVerb>({ ...common, script: writeThread });
  const reader = new ThreadClient<ReadVerb>({ ...common, script: readThread });
  threads.push(writer, reader);

  const opening = await writer.opened();
  log.info({ file, schemaFrom: opening?.from, schemaTo: opening?.to }, "store opened");
  const upkeep = new SqliteUpkeep({ file, writer, owesCheck: opening?.owesCheck === true });
  return new SqliteStore({ writer, reader, clock, upkeep });
}
