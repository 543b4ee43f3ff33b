import type { JobClass } from "../job.ts";
import { canonicalModelName } from "../target/model-name.ts";

/** Which work is meant: null in a place means all there is of it. */
export type PauseScope = {
  readonly class: JobClass | null;
  /** As the operator spelled it. */
  readonly model: string | null;
};

export type Pause = PauseScope & {
  /** ISO 8601, by the wall clock. */
  readonly since: string;
  readonly by: string;
  readonly note: string | null;
};

/** A pause with its model's canonical name, which is made once and not at each turn. */
export type PauseRule = {
  readonly pause: Pause;
  readonly class: JobClass | null;
  /** Null: every model. */
  readonly model: string | null;
};

/** More are no operator's doing, and each is asked of each lane at each turn. */
export const pausesMax = 100;

/** The pauses with one more; the same list if that very scope is paused already. */
export function withPause(pauses: readonly Pause[], pause: Pause): readonly Pause[] {
  return pauses.some((each) => isSame(each, pause)) ? pauses : [...pauses, pause];
}

/** What is left when all within that scope is resumed: all of them, if it names nothing. */
export function withoutPauses(pauses: readonly Pause[], scope: PauseScope): readonly Pause[] {
  return pauses.filter((pause) => !isWithin(pause, scope));
}

/** The pauses, made ready to be asked of thousands of lanes. */
export function rulesOf(pauses: readonly Pause[]): readonly PauseRule[] {
  return pauses.map((pause) => ({ pause, class: pause.class, model: modelOfScope(pause) }));
}

/**
 * The pause that such work waits for; of several the oldest, for there is no sense in asking
 * whoever came later first. Null: it is not paused.
 *
 * @param work its model by the canonical name; null for a scope that names none
 */
export function pauseOn(
  rules: readonly PauseRule[],
  work: { readonly class: JobClass | null; readonly model: string | null },
): Pause | null {
  const covers = (rule: PauseRule) =>
    (rule.class === null || rule.class === work.class) &&
    (rule.model === null || rule.model === work.model);
  return rules.find(covers)?.pause ?? null;
}

/** The canonical name of a scope's model; null if it names none. */
export function modelOfScope({ model }: PauseScope): string | null {
  return model === null ? null : canonicalModelName(model);
}

function isSame(one: PauseScope, other: PauseScope): boolean {
  return one.class === other.class && modelOfScope(one) === modelOfScope(other);
}

function isWithin(pause: Pause, scope: PauseScope): boolean {
  const isOfClass = scope.class === null || pause.class === scope.class;
  return isOfClass && (scope.model === null || modelOfScope(pause) === modelOfScope(scope));
}
