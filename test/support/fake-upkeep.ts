import type { StoreUpkeep } from "../../src/store/store-upkeep.ts";

/** An upkeep without files, which a test tells what to find. */
export class FakeUpkeep implements StoreUpkeep {
  owesCheck = false;
  /** What a check resolves with; it hangs until it is aborted while this is undefined. */
  verdict: string | null | undefined = null;
  /** How often there is more space to give back. */
  shrinks = 0;
  bytes = 0;
  /** A reader is in the way of emptying the log. */
  isHeld = false;
  readonly calls: string[] = [];

  async check(signal: AbortSignal): Promise<string | null> {
    if (this.verdict !== undefined) return this.verdict;
    return await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  async shrink(): Promise<boolean> {
    this.calls.push("shrink");
    this.shrinks -= 1;
    return this.shrinks > 0;
  }

  async emptyLog(): Promise<void> {
    this.calls.push("emptyLog");
    if (!this.isHeld) this.bytes = 0;
  }

  async logBytes(): Promise<number> {
    return this.bytes;
  }

  async backUp(): Promise<number> {
    throw new Error("a fake has nothing to copy");
  }
}
