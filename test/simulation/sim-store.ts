// A store that keeps its rows in a MemoryDisk and takes time like the real one: what is asked waits
// in a mailbox, in order, and is applied in groups; a daemon that dies before a group is applied
// has lost it, and one that dies after it has lost the answers. Reads of what was committed take a
// way of their own.
import { ForemanError } from "../../src/errors.ts";
import type { JobId } from "../../src/job.ts";
import type { WholeStore } from "../../src/store/whole-store.ts";
import { FakeUpkeep } from "../support/fake-upkeep.ts";
import type { MemoryDisk } from "../support/memory-disk.ts";
import { MemoryStore } from "../support/memory-store.ts";
import type { SeededRandom } from "../support/sim-ollama/seeded-random.ts";
import type { LifeClock } from "./life-clock.ts";

/** One verb as it was asked. */
export type AskedVerb = { readonly name: string; readonly args: readonly unknown[] };

export type StoreHooks = {
  /** Ways of the disk at this moment. */
  readonly disk: () => { readonly isFull: boolean; readonly isSlow: boolean };
  /** A group is about to be written, or was; true if the daemon dies of it. */
  readonly mayDie: (moment: "before-commit" | "after-commit") => boolean;
  /** True if the disk fails for good with the group that is about to be written. */
  readonly mayFail: () => boolean;
  readonly onFatal: (failure: ForemanError) => void;
  /** A verb was applied. */
  readonly onApplied: (verb: AskedVerb, outcome: unknown) => void;
  /** Stands in the way of a verb, for a world whose store is broken; the verb itself otherwise. */
  readonly tamper?: ((verb: AskedVerb, apply: () => Promise<unknown>) => Promise<unknown>) | null;
};

/** Of the read-only connection. */
const readVerbs = new Set(["answer", "transitions", "page", "position", "countByState"]);

/** Reads of the writing connection, which a full disk does not hinder. */
const plainReads = new Set(["job", "body", "waitingIn", "newestArrival", "lanes", "recall"]);

type Letter = { readonly verb: AskedVerb; readonly answer: PromiseWithResolvers<unknown> };

type Fn = (...args: readonly unknown[]) => Promise<unknown>;

export function simStore(
  disk: MemoryDisk,
  deps: { readonly clock: LifeClock; readonly random: SeededRandom } & StoreHooks,
): WholeStore {
  const { clock, random } = deps;
  const inner = new MemoryStore(disk);
  const verbsOf = inner as unknown as Readonly<Record<string, Fn>>;
  const mailbox: Letter[] = [];
  let isWriting = false;
  let onTransition: (id: JobId) => void = () => {};

  const apply = async ({ answer, verb }: Letter): Promise<() => void> => {
    const { args, name } = verb;
    const isHindered = deps.disk().isFull && !plainReads.has(name);
    if (isHindered)
      return () => answer.reject(new ForemanError("storage_full", "the disk is full"));
    const call = () => verbsOf[name]!.call(inner, ...args);
    try {
      const outcome = await (deps.tamper?.(verb, call) ?? call());
      deps.onApplied(verb, outcome);
      return () => {
        answer.resolve(outcome);
        const isChange = outcome !== "lost" && outcome !== "stale" && !plainReads.has(name);
        const [first] = args;
        if (isChange && typeof first === "string") onTransition(first as JobId);
      };
    } catch (cause) {
      return () => answer.reject(cause);
    }
  };

  const commit = async () => {
    if (deps.mayDie("before-commit")) return;
    const group = mailbox.splice(0);
    if (deps.mayFail()) {
      const failure = new ForemanError("storage_failed", "the disk failed");
      for (const { answer } of group) answer.reject(failure);
      deps.onFatal(failure);
      return;
    }
    const answers: (() => void)[] = [];
    for (const letter of group) answers.push(await apply(letter));
    if (deps.mayDie("after-commit")) return;
    for (const tell of answers) tell();
    isWriting = false;
    if (mailbox.length > 0) write();
  };

  const write = () => {
    isWriting = true;
    const ms = deps.disk().isSlow ? 50 + random.next(400) : 1 + random.next(5);
    clock.after(ms, () => void commit());
  };

  const ask = (verb: AskedVerb): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    // Whoever is dead waits for ever.
    if (clock.isDead) return answer.promise;
    if (readVerbs.has(verb.name)) {
      clock.after(1, () => answer.resolve(verbsOf[verb.name]!.call(inner, ...verb.args)));
      return answer.promise;
    }
    mailbox.push({ verb, answer });
    if (!isWriting) write();
    return answer.promise;
  };

  const own = { batches: noBatches, upkeep: new FakeUpkeep(), outbox: inner.outbox };
  const close = async () => {
    while (mailbox.length > 0 || isWriting) await clock.sleep(1);
  };
  const listen: WholeStore["listen"] = (listener) => {
    onTransition = listener.onTransition;
  };
  return new Proxy({ ...own, close, listen } as unknown as WholeStore, {
    get: (target, name) => {
      if (name in target) return Reflect.get(target, name) as unknown;
      if (typeof name !== "string" || !(name in inner)) return undefined;
      return (...args: readonly unknown[]) => ask({ name, args });
    },
  });
}

/** Nobody submits a batch to the runtime API here. */
const noBatches = new Proxy({} as WholeStore["batches"], {
  get: (_, name) => async () => {
    if (name === "recoverItems") return 0;
    if (["openBatches", "unopenedBatches", "batchesEndedBefore"].includes(String(name))) return [];
    throw new Error(`no batches here: ${String(name)}`);
  },
});
