import { ForemanError } from "../errors.ts";
import type { Migration } from "./read-migrations.ts";

/** A database that can be brought up to date. */
export type MigrationTarget = {
  /** The database's name for people. */
  readonly name: string;
  /** The schema's version, 0 when empty. Leaves no trace in the database. */
  version(): number;
  /** Keeps a copy of the whole database under `label`. */
  backUp(label: string): void;
  /** Runs one migration and records its number as the version, in one transaction. */
  apply(migration: Migration): void;
};

/** The schema's versions before and after. */
export type Migrated = { readonly from: number; readonly to: number };

/**
 * Brings a database to the newest schema that this program knows, forward only. A database that
 * has a schema and needs a new one is backed up first, as `before-NNNN` of the first step.
 *
 * Throws ForemanError `schema_newer`, before anything is touched, when a later program migrated it.
 */
export function migrate(target: MigrationTarget, migrations: readonly Migration[]): Migrated {
  const from = target.version();
  const to = migrations.length;
  if (from > to) {
    throw new ForemanError(
      "schema_newer",
      `${target.name} has schema ${from}, and this foreman knows schemas up to ${to}: ` +
        "run the newer foreman, or give back the copy that was made before its migration",
    );
  }
  const pending = migrations.slice(from);
  if (from > 0 && pending.length > 0) {
    target.backUp(`before-${String(from + 1).padStart(4, "0")}`);
  }
  for (const migration of pending) target.apply(migration);
  return { from, to };
}
