import { describe } from "vitest";
import { answerContract } from "./contract/answer-contract.ts";
import { cancelContract } from "./contract/cancel-contract.ts";
import { historyContract } from "./contract/history-contract.ts";
import { joiningContract } from "./contract/joining-contract.ts";
import { keyContract } from "./contract/key-contract.ts";
import { outboxContract } from "./contract/outbox-contract.ts";
import { pageContract } from "./contract/page-contract.ts";
import { readingContract } from "./contract/reading-contract.ts";
import { recoveryContract } from "./contract/recovery-contract.ts";
import { restingContract } from "./contract/resting-contract.ts";
import { runningContract } from "./contract/running-contract.ts";
import { type OpenStore, StorePlace } from "./contract/store-place.ts";

/**
 * Every promise of `Store`, to be run against each store. `openStore` is given a folder, empty at
 * first; opening it again must find what was kept there.
 */
export function storeContract(name: string, openStore: OpenStore): void {
  describe(`${name} keeps the contract of a store`, () => {
    const place = new StorePlace(openStore);
    joiningContract(place);
    keyContract(place);
    runningContract(place);
    restingContract(place);
    cancelContract(place);
    answerContract(place);
    historyContract(place);
    outboxContract(place);
    recoveryContract(place);
    readingContract(place);
    pageContract(place);
  });
}
