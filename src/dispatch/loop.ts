/**
 * Takes turns as long as somebody asks for one. A turn that is asked for from inside another comes
 * after it, so that turns never nest.
 */
export class Loop {
  readonly #turn: () => void;
  #isTurning = false;
  #isAsked = false;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /** Asks for a turn, and takes it unless one is being taken. */
  ask(): void {
    this.#isAsked = true;
    if (this.#isTurning) return;
    this.#isTurning = true;
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        this.#turn();
      }
    } finally {
      this.#isTurning = false;
    }
  }
}
