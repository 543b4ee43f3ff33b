import type { Clock } from "../clock.ts";
import type { Poller } from "./poller.ts";

/** An unload is answered before it happens; what is loaded is asked again a little later. */
const unloadSettlesMs = 300;

/** Has what is loaded read anew once the target, which has answered, has let go of a model. */
export function refreshAfterUnload(poller: Pick<Poller, "refreshLoaded">, clock: Clock): void {
  clock.after(unloadSettlesMs, () => void poller.refreshLoaded());
}
