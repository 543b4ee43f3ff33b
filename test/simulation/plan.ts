import fc from "fast-check";

/** What becomes of a request at the target. */
const fates = [
  "whole",
  "error-500",
  "busy-429",
  "refused-400",
  "lost-at-once",
  "lost-midway",
  "silent",
  "stalls",
  "unmarked",
] as const;

export type Fate = (typeof fates)[number];

export type RequestPlan = {
  readonly atMs: number;
  readonly client: number;
  readonly model: number;
  /**
   * `chat`: on a socket. `keyed`: on a socket with a key, asked again until it is answered. `job`:
   * nobody waits. `unkeyed-job`: the same without a key, so never sent a second time.
   */
  readonly way: "chat" | "keyed" | "job" | "unkeyed-job";
  readonly class: "interactive" | "batch";
  /** Which receiver is told of its states, of one that nobody waits for; null: none. */
  readonly hook: 0 | 1 | null;
  readonly tokens: number;
  readonly tokenMs: number;
  /** Of its first attempts; later ones are answered whole. */
  readonly fates: readonly Fate[];
  /** Its client leaves so long after it came; null: it stays. */
  readonly leaveAfterMs: number | null;
  /** It is cancelled so long after it was acknowledged; null: never. */
  readonly cancelAfterMs: number | null;
};

/** A batch of the runtime-LLM API. */
export type BatchPlan = {
  readonly atMs: number;
  readonly client: number;
  readonly model: number;
  readonly items: number;
  readonly tokens: number;
  readonly tokenMs: number;
  /** Of its items, one after the other, and again from the first. */
  readonly fates: readonly (readonly Fate[])[];
  /** So many answers of each item are not the JSON that was asked for; null: text was asked for. */
  readonly garbled: number | null;
  readonly needsApproval: boolean;
  /** It is cancelled so long after it was acknowledged; null: never. */
  readonly cancelAfterMs: number | null;
  /** What failed of it is tried again when it has ended. */
  readonly isRetried: boolean;
};

/** What somebody asks of the target: a request, or an item of a batch. */
export type Work = Pick<RequestPlan, "model" | "tokens" | "tokenMs" | "fates"> & {
  readonly isBatch: boolean;
  readonly garbled: number | null;
};

/** A time in which something is wrong. */
export type SpellPlan = {
  readonly atMs: number;
  readonly forMs: number;
  /** Of the target: refuses connections; takes them and says nothing. Of the disk. */
  readonly kind: "away" | "mute" | "disk-full" | "disk-slow";
};

/** A time in which a receiver of webhooks refuses connections, keeps silent, or answers so. */
export type HookSpellPlan = {
  readonly atMs: number;
  readonly forMs: number;
  readonly receiver: 0 | 1;
  readonly kind: "away" | "mute" | "failing" | "busy";
};

/** The daemon ends: at once, or at the next such moment; or it drains and stops in order. */
export type DeathPlan = {
  readonly atMs: number;
  readonly moment: "now" | "before-commit" | "after-commit" | "head" | "end" | "fatal" | "drain";
  /** Until the next daemon starts. */
  readonly downMs: number;
};

/** A whole world, but for what its daemon does. */
export type Plan = {
  /** Of the small delays, and of the daemon's own dice. */
  readonly chance: number;
  readonly slots: number;
  readonly residentsMax: number;
  readonly requests: readonly RequestPlan[];
  readonly batches: readonly BatchPlan[];
  readonly spells: readonly SpellPlan[];
  readonly hookSpells: readonly HookSpellPlan[];
  readonly deaths: readonly DeathPlan[];
};

/** All that is asked, by its name: `r3` is a request, `b0.3` an item of a batch. */
export function worksOf({ batches, requests }: Plan): ReadonlyMap<string, Work> {
  const works = new Map<string, Work>();
  for (const [number, request] of requests.entries()) {
    const isJob = request.way === "job" || request.way === "unkeyed-job";
    const isBatch = isJob && request.class === "batch";
    works.set(`r${number}`, { ...request, isBatch, garbled: null });
  }
  for (const [number, batch] of batches.entries()) {
    for (let at = 0; at < batch.items; at += 1) {
      const fates = batch.fates[at % batch.fates.length] ?? [];
      works.set(`b${number}.${at}`, { ...batch, fates, isBatch: true });
    }
  }
  return works;
}

/** When the last planned thing begins. */
const plannedMs = 60_000;

const atMs = fc.integer({ min: 0, max: plannedMs });
const rarely = (most: number) =>
  fc.option(fc.integer({ min: 0, max: most }), { freq: 4, nil: null });

/** Half of them come at two moments, so that lanes have more than one job. */
const comesAtMs = fc.oneof(
  { weight: 2, arbitrary: atMs },
  { weight: 1, arbitrary: fc.constant(5_000) },
  { weight: 1, arbitrary: fc.constant(30_000) },
);

const request: fc.Arbitrary<RequestPlan> = fc.record({
  atMs: comesAtMs,
  client: fc.nat(1),
  model: fc.constantFrom(0, 0, 1, 2, 2, 3),
  way: fc.constantFrom("chat", "chat", "keyed", "job", "job", "unkeyed-job"),
  class: fc.constantFrom("interactive", "batch"),
  hook: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom<0 | 1>(0, 1) },
  ),
  tokens: fc.integer({ min: 1, max: 3 }),
  tokenMs: fc.integer({ min: 10, max: 2_000 }),
  fates: fc.array(fc.constantFrom<Fate>("whole", "whole", "whole", ...fates), { maxLength: 4 }),
  leaveAfterMs: rarely(20_000),
  cancelAfterMs: rarely(20_000),
});

/** Some come as several alike, which wait in one lane. */
const requests = fc
  .tuple(request, fc.constantFrom(1, 1, 1, 1, 3))
  .map(([one, copies]) => Array<RequestPlan>(copies).fill(one));

const batch: fc.Arbitrary<BatchPlan> = fc.record({
  atMs: comesAtMs,
  client: fc.nat(1),
  model: fc.constantFrom(0, 1, 2),
  // A window of 32 is given out at a time.
  items: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 8 }) },
    { weight: 1, arbitrary: fc.integer({ min: 33, max: 40 }) },
  ),
  tokens: fc.integer({ min: 1, max: 2 }),
  tokenMs: fc.integer({ min: 10, max: 300 }),
  fates: fc.array(fc.array(fc.constantFrom<Fate>("whole", "whole", ...fates), { maxLength: 2 }), {
    maxLength: 4,
  }),
  garbled: fc.constantFrom(null, null, 0, 1, 3),
  needsApproval: fc.boolean(),
  cancelAfterMs: rarely(30_000),
  isRetried: fc.boolean(),
});

const spell: fc.Arbitrary<SpellPlan> = fc.record({
  atMs,
  forMs: fc.integer({ min: 100, max: 30_000 }),
  kind: fc.constantFrom("away", "mute", "disk-full", "disk-slow"),
});

const hookSpell: fc.Arbitrary<HookSpellPlan> = fc.record({
  atMs,
  forMs: fc.integer({ min: 100, max: 30_000 }),
  receiver: fc.constantFrom(0, 1),
  kind: fc.constantFrom("away", "mute", "failing", "busy"),
});

const death: fc.Arbitrary<DeathPlan> = fc.record({
  atMs,
  moment: fc.constantFrom("now", "before-commit", "after-commit", "head", "end", "fatal", "drain"),
  downMs: fc.integer({ min: 50, max: 10_000 }),
});

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  chance: fc.noShrink(fc.nat()),
  slots: fc.constantFrom(1, 1, 2),
  residentsMax: fc.constantFrom(1, 2),
  requests: fc
    .array(requests, { minLength: 1, maxLength: 12, size: "max" })
    .map((all) => all.flat()),
  batches: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(batch, { minLength: 1, maxLength: 2 }) },
  ),
  spells: fc.array(spell, { maxLength: 3, size: "max" }),
  hookSpells: fc.array(hookSpell, { maxLength: 2, size: "max" }),
  deaths: fc.array(death, { maxLength: 4, size: "max" }),
});

type Variety = {
  readonly models: readonly [number, ...number[]];
  readonly clients: readonly [number, ...number[]];
  readonly tokens: readonly [number, ...number[]];
  readonly classes: readonly RequestPlan["class"][];
};

/** More than runs in minutes comes within half a minute, and nothing goes wrong. */
const steadyRequests = ({ classes, clients, models, tokens }: Variety) =>
  fc.array(
    fc.record<RequestPlan>({
      atMs: fc.integer({ min: 0, max: 30_000 }),
      client: fc.constantFrom(...clients),
      model: fc.constantFrom(...models),
      way: fc.constantFrom("chat", "job", "unkeyed-job"),
      class: fc.constantFrom(...classes),
      hook: fc.constant(null),
      tokens: fc.constantFrom(...tokens),
      tokenMs: fc.constant(1_500),
      fates: fc.constant([]),
      leaveAfterMs: fc.constant(null),
      cancelAfterMs: fc.constant(null),
    }),
    { minLength: 1, maxLength: 90, size: "max" },
  );

/** Of the bounds the one is near where models vary, another where nothing does. */
const varieties: readonly Variety[] = [
  { models: [0], clients: [0], tokens: [2], classes: ["interactive", "batch"] },
  { models: [0], clients: [0, 0, 0, 1], tokens: [1, 2], classes: ["interactive", "batch"] },
  { models: [0, 0, 0, 0, 2], clients: [0, 1], tokens: [2], classes: ["interactive"] },
  { models: [0, 1, 2, 3], clients: [0, 1], tokens: [1, 2], classes: ["interactive", "batch"] },
];

/** A world in which the scheduler's bounds are promised. */
export const steadyPlans: fc.Arbitrary<Plan> = fc.record({
  chance: fc.noShrink(fc.nat()),
  slots: fc.constantFrom(1, 1, 2),
  residentsMax: fc.constantFrom(1, 2),
  requests: fc.oneof(...varieties.map(steadyRequests)),
  batches: fc.constant([]),
  spells: fc.constant([]),
  hookSpells: fc.constant([]),
  deaths: fc.constant([]),
});

/** Every plan is drawn from a seed by fast-check, which also knows how to make one smaller. */
export const plans: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 15, arbitrary: anyPlan },
  { weight: 1, arbitrary: steadyPlans },
);
