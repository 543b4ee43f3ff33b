import { expect } from "vitest";
import { Accounts } from "../../src/dispatch/accounts.ts";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import type { RunLimits } from "../../src/dispatch/run-job.ts";
import type { Job } from "../../src/job.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { ScheduleLimits } from "../../src/scheduler/snapshot.ts";
import { WriteBehind } from "../../src/store/write-behind.ts";
import { Runners } from "../../src/target/runners.ts";
import { aSubmission } from "../queue/submission.ts";
import { limits as scheduleLimits } from "../scheduler/scene.ts";
import type { Asked } from "../support/fake-target.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { pollerScene } from "../target/poller-scene.ts";

type Hooks = {
  /** The target, or what is known of it, may have changed. */
  readonly onChange?: () => void;
  readonly onEnded?: ConstructorParameters<typeof Dispatcher>[0]["onEnded"];
  readonly depthMax?: number;
  readonly pauseOf?: ConstructorParameters<typeof Dispatcher>[0]["pauseOf"];
  readonly slotsOf?: ConstructorParameters<typeof Dispatcher>[0]["slotsOf"];
};

type SceneFacts = Partial<ScheduleLimits> & Partial<RunLimits> & Hooks;

/**
 * Everything between a job that joins and the target: real queue, scheduler, dispatcher and poller
 * between a store in memory and a target that answers polls by itself, and jobs as the test says.
 */
export function dispatchScene(facts: SceneFacts = {}) {
  const { stallMsMax = 0, runMsMax = 0, attemptsMax = 3, ...rest } = facts;
  const { depthMax = 100, onChange, onEnded, pauseOf, slotsOf, ...schedule } = rest;
  const store = new MemoryStore();
  const around = pollerScene({
    onChange: () => {
      onChange?.();
      dispatcher.tick();
    },
  });
  const { clock, inventory, log, poller, target } = around;
  const runners = new Runners(inventory);
  const accounts = new Accounts(runners);
  const behind = new WriteBehind({ clock, log });
  const queue = new Queue({
    isModelMissing: () => false,
    topClassOf: () => "interactive",
    onEndedWaiting: () => {},
    ...{ store, behind, clock, log, waitMsMax: 0 },
    depthMax,
    answerBytesMax: 1_000,
    onJoined: (job) => accounts.joined(job),
    onLeft: (job) => accounts.left(job),
    onChange: () => dispatcher.tick(),
  });
  const dispatcher = new Dispatcher({
    ...{ queue, store, behind, target, inventory, poller, runners, accounts, clock, log },
    scheduleLimits: { ...scheduleLimits, ...schedule },
    pauseOf: pauseOf ?? (() => null),
    slotsOf: slotsOf ?? (() => null),
    random: () => 0.5,
    preemptWithinMs: 20_000,
    describeMissing: () => "being brought back: 43 %",
    onLoaded: () => {},
    onEnded: onEnded ?? (() => {}),
    runLimits: { stallMsMax, runMsMax, attemptsMax },
  });
  const submitted = (job: Partial<Job> = {}) => {
    const submission = aSubmission(job);
    expect(queue.submit(submission)).toBeNull();
    return { ...submission, id: submission.job.id };
  };
  const chats = (): Asked[] => target.askedOf("/api/chat");
  return { ...around, store, queue, dispatcher, submitted, chats };
}

export type DispatchScene = ReturnType<typeof dispatchScene>;

/** The scene with the target present and nothing to do. */
export async function presentScene(facts: SceneFacts = {}): Promise<DispatchScene> {
  const scene = dispatchScene(facts);
  await scene.poller.refresh();
  await scene.clock.settle();
  return scene;
}

/** Answers a chat whole and well. */
export function finish(asked: Asked): void {
  asked.head().chunk('{"done":true,"prompt_eval_count":1,"eval_count":2}\n').end();
}
