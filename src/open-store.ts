import type { Clock } from "./clock.ts";
import type { ForemanError } from "./errors.ts";
import type { Log } from "./log.ts";
import { type Remains, readRemains } from "./store/remains.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import type { WholeStore } from "./store/whole-store.ts";

export type OpenedStore = { readonly store: WholeStore; readonly remains: Remains };

type Outside = {
  readonly log: Log;
  readonly clock: Clock;
  /** Called once, when the store has become unusable: end the process, and recover at its start. */
  readonly onFatal: (failure: ForemanError) => void;
};

/**
 * Opens the database and looks at what is there. All of it is other threads' work, so that it may
 * begin before the rest of the program is even read.
 *
 * @throws ForemanError when the database cannot be opened: see `openSqliteStore`
 */
export async function openStore(
  config: { readonly databaseFile: string; readonly diskFloorBytes: number },
  outside: Outside,
): Promise<OpenedStore> {
  const store = await openSqliteStore({ ...config, ...outside });
  return { store, remains: await readRemains(store, outside.clock.wallMs()) };
}
