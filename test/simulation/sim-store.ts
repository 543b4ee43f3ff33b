// The SQLite store without its threads: what is asked waits in a mailbox, in order, and is applied
// and committed in groups by the very code of the threads, at the virtual time that a disk takes. A
// daemon that dies before a group is committed has lost it, and one that dies after it has lost the
// answers. Reads of what was committed take a way of their own.
import Database from "better-sqlite3";
import { ForemanError } from "../../src/errors.ts";
import { GroupCommit } from "../../src/store/sqlite/group-commit.ts";
import { thrown } from "../../src/store/sqlite/sqlite-failure.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { SqliteUpkeep } from "../../src/store/sqlite/sqlite-upkeep.ts";
import type { ThreadClient } from "../../src/store/sqlite/thread-client.ts";
import type { GroupOutcome, Outcome } from "../../src/store/sqlite/thread-message.ts";
import type { ReadVerb, VerbAnswer, WriteVerb } from "../../src/store/sqlite/verb.ts";
import type { WholeStore } from "../../src/store/whole-store.ts";
import { FakeUpkeep } from "../support/fake-upkeep.ts";
import type { SeededRandom } from "../support/sim-ollama/seeded-random.ts";
import type { LifeClock } from "./life-clock.ts";
import type { SimDisk } from "./sim-disk.ts";

export type Tamper = (verb: WriteVerb, apply: () => VerbAnswer, disk: SimDisk) => VerbAnswer;

type StoreHooks = {
  /** Ways of the disk at this moment. */
  readonly disk: () => { readonly isFull: boolean; readonly isSlow: boolean };
  /** A group is about to be written, or was; true if the daemon dies of it. */
  readonly mayDie: (moment: "before-commit" | "after-commit") => boolean;
  /** True if the disk fails for good with the group that is about to be written. */
  readonly mayFail: () => boolean;
  readonly onFatal: (failure: ForemanError) => void;
  /** A verb was committed. */
  readonly onApplied: (verb: WriteVerb, answer: VerbAnswer) => void;
  /** Stands in the way of a verb, for a world whose store is broken. */
  readonly tamper?: Tamper | null;
};

type StoreDeps = { readonly clock: LifeClock; readonly random: SeededRandom } & StoreHooks;

/** Reads of the writing connection, which a full disk does not hinder. */
const plainReads: ReadonlySet<WriteVerb["kind"]> = new Set([
  ...(["job", "body", "waitingIn", "newestArrival", "lanes", "recall"] as const),
  ...(["batch", "request", "waitingItems", "itemsUnderWay"] as const),
]);

export function simStore(disk: SimDisk, deps: StoreDeps): WholeStore {
  const { clock } = deps;
  const writer = new SimWriter(disk, deps) as unknown as ThreadClient<WriteVerb>;
  const ask = async (verb: ReadVerb) => {
    await clock.sleep(1);
    return disk.reads.answer(verb);
  };
  const reader = { ask, close: async () => {} } as unknown as ThreadClient<ReadVerb>;
  const own = Object.assign(new FakeUpkeep(), { stop: async () => {} });
  return new SqliteStore({ writer, reader, clock, upkeep: own as unknown as SqliteUpkeep });
}

type Letter = { readonly verb: WriteVerb; readonly answer: PromiseWithResolvers<VerbAnswer> };

/** Both ends of the writing thread. */
class SimWriter {
  onGroup: (tookMs: number) => void = () => {};
  readonly #disk: SimDisk;
  readonly #deps: StoreDeps;
  readonly #groups: GroupCommit;
  readonly #mailbox: Letter[] = [];
  #isWriting = false;
  #failure: ForemanError | null = null;
  #isFailing = false;

  constructor(disk: SimDisk, deps: StoreDeps) {
    this.#disk = disk;
    this.#deps = deps;
    const { database } = disk;
    this.#groups = new GroupCommit({ database, apply: (verb) => this.#apply(verb) });
  }

  ask(verb: WriteVerb): Promise<VerbAnswer> {
    const answer = Promise.withResolvers<VerbAnswer>();
    // Whoever is dead waits for ever.
    if (this.#deps.clock.isDead) return answer.promise;
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#mailbox.push({ verb, answer });
    if (!this.#isWriting) this.#write();
    return answer.promise;
  }

  async close(): Promise<void> {
    while (this.#mailbox.length > 0 || this.#isWriting) await this.#deps.clock.sleep(1);
    this.#failure ??= new ForemanError("storage_failed", "the store is closed");
  }

  #write(): void {
    this.#isWriting = true;
    const { clock, disk, random } = this.#deps;
    const ms = disk().isSlow ? 50 + random.next(400) : 1 + random.next(5);
    clock.after(ms, () => this.#commit(ms));
  }

  #commit(tookMs: number): void {
    const { mayDie, mayFail, onApplied, onFatal } = this.#deps;
    if (mayDie("before-commit")) return;
    const group = this.#mailbox.splice(0);
    this.#isFailing = mayFail();
    const outcome = this.#groups.commit(group.map(({ verb }) => verb));
    for (const [at, { verb }] of group.entries()) {
      const one = outcome.outcomes[at];
      if (one?.kind === "answered") onApplied(verb, one.answer);
    }
    if (mayDie("after-commit")) return;
    this.#isWriting = false;
    this.onGroup(tookMs);
    tell(group, outcome);
    if (outcome.fatal !== null) {
      this.#failure = thrown(outcome.fatal);
      onFatal(this.#failure);
    } else if (this.#mailbox.length > 0) this.#write();
  }

  #apply(verb: WriteVerb): VerbAnswer {
    const { disk, tamper } = this.#deps;
    if (this.#isFailing) throw new Database.SqliteError("no sync", "SQLITE_IOERR_FSYNC");
    if (disk().isFull && !plainReads.has(verb.kind)) {
      throw new Database.SqliteError("the disk is full", "SQLITE_FULL");
    }
    const apply = () => this.#disk.writes.apply(verb);
    return tamper ? tamper(verb, apply, this.#disk) : apply();
  }
}

function tell(group: readonly Letter[], { fatal, outcomes }: GroupOutcome): void {
  for (const [at, { answer }] of group.entries()) {
    const outcome: Outcome | undefined = outcomes[at];
    if (outcome?.kind === "answered") answer.resolve(outcome.answer);
    else if (outcome?.kind === "failed") answer.reject(thrown(outcome.failure));
    else if (fatal !== null) answer.reject(thrown(fatal));
  }
}
