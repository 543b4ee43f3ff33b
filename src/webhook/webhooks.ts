import { lookup } from "node:dns/promises";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { AllowedHost } from "../wire/allowed-host.ts";
import { Deliverer } from "./deliverer.ts";
import { Destinations } from "./destinations.ts";
import type { Resolve } from "./pinned-lookup.ts";
import { type Connect, createPost } from "./post.ts";

type WebhooksOptions = {
  readonly store: Store;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  readonly random: () => number;
  readonly log: Log;
  readonly webhookAllow: readonly AllowedHost[];
  /** Null: messages are not signed. */
  readonly webhookKey: Buffer | null;
  /** How the names of receivers are resolved; absent: as the system does. */
  readonly resolve?: Resolve | undefined;
  /** How receivers are connected to; absent: at the addresses that were checked. */
  readonly connect?: Connect | undefined;
  /** See `Deliverer`. */
  readonly onReceipt: ConstructorParameters<typeof Deliverer>[0]["onReceipt"];
};

/** All of webhooks that the rest of foreman has to do with; see `Destinations` and `Deliverer`. */
export function createWebhooks(options: WebhooksOptions) {
  const { clock, log, random, store, webhookAllow, webhookKey: key } = options;
  const { connect, resolve = (name) => lookup(name, { all: true }) } = options;
  const destinations = new Destinations(webhookAllow);
  const post = createPost({ destinations, resolve, connect, clock, key });
  const deliverer = new Deliverer({
    store,
    post,
    clock,
    random,
    log,
    onReceipt: options.onReceipt,
  });
  return {
    read: (url: string) => destinations.read(url),
    /** A job's change is on the disk. Who allows no destination has nothing to tell of new ones. */
    wake: () => {
      if (webhookAllow.length > 0) deliverer.wake();
    },
    status: () => deliverer.status(),
    backlog: () => deliverer.backlog(),
    start: () => {
      if (webhookAllow.length > 0 && key === null) {
        log.warn("webhooks go out unsigned: set FOREMAN_WEBHOOK_SECRET, and check it at receivers");
      }
      deliverer.start();
    },
    stop: () => deliverer.stop(),
  };
}
