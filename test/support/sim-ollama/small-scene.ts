import { expect, vi } from "vitest";
import { chatBody } from "./ask.ts";
import type { JournalKind } from "./journal.ts";
import type { SimOllama } from "./sim-ollama.ts";

export const slow = { name: "slow", loadMs: 5, tokens: 100, tokenMs: 2 };
export const other = { name: "other", loadMs: 5, tokens: 2, tokenMs: 0 };
export const embedder = { name: "embedder", tokenMs: 1, capabilities: ["embedding"] as const };
export const oneAtATime = { models: [slow, other, embedder], maxLoadedModels: 1 };

export const kinds = (sim: SimOllama) => sim.journal.events.map(({ kind }) => kind);

/** Resolves when the journal has so many events of that kind. */
export const seen = (sim: SimOllama, kind: JournalKind, count = 1) =>
  vi.waitFor(() => expect(kinds(sim).filter((each) => each === kind).length).toBe(count), {
    interval: 2,
    timeout: 3_000,
  });

/** A chat that is not streamed. */
export const quiet = (model: string, more: object = {}) =>
  chatBody(model, "hi", { ...more, stream: false });
