import type { Exchange } from "./exchange.ts";
import type { FaultRules } from "./fault-rules.ts";
import type { Journal } from "./journal.ts";
import type { ModelLibrary } from "./model-library.ts";
import type { Pace } from "./pace.ts";
import type { Payload } from "./payload.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimSettings } from "./sim-settings.ts";

/** What the handlers share. The scheduler is a new one after each restart. */
export type SimCore = {
  readonly settings: SimSettings;
  readonly library: ModelLibrary;
  readonly journal: Journal;
  readonly faults: FaultRules;
  readonly pace: Pace;
  scheduler: Scheduler;
};

/** One request on its way through a handler, with its body whole. */
export type Call = {
  readonly sim: SimCore;
  readonly exchange: Exchange;
  readonly payload: Payload;
};

export type Handler = (call: Call) => void | Promise<void>;
