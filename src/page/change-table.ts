import { html, type TemplateResult } from "lit-html";
import type { z } from "zod";
import type { controlChanges } from "../wire/controls.ts";
import type { providerChanges } from "../wire/runtime-answers.ts";
import type { Api } from "./api.ts";
import { timeOf } from "./page-clock.ts";
import { table } from "./pieces.ts";

type Controlled = z.output<typeof controlChanges>["changes"][number];
type Switched = z.output<typeof providerChanges>["changes"][number];
/** What an operator did, as a line tells it. */
export type Change = Pick<Controlled, "at" | "by" | "note"> & { readonly what: string };

const changesShown = 20;

/** What operators did to the queue and to providers, the newest first. @throws ApiError */
export async function readChanges(api: Api): Promise<readonly Change[]> {
  const [controlled, switched] = await Promise.all([
    api.ask<{ readonly changes: readonly Controlled[] }>("GET", "changes"),
    api.ask<{ readonly changes: readonly Switched[] }>(
      "GET",
      "../api/runtime/llm/providers/changes",
    ),
  ]);
  const all = [
    ...controlled.changes.map((change) => ({ ...change, what: wordsOfControl(change) })),
    ...switched.changes.map((change) => ({ ...change, what: wordsOfSwitch(change) })),
  ];
  return all.toSorted((one, other) => (one.at < other.at ? 1 : -1)).slice(0, changesShown);
}

/** A line for each, in the order given. */
export function changeTable(changes: readonly Change[]): TemplateResult {
  const heads = [{ head: "When" }, { head: "Who" }, { head: "What" }, { head: "Note" }];
  const rows = changes.map(({ at, by, note, what }) => [
    timeOf(at),
    html`<bdi>${by}</bdi>`,
    html`<bdi>${what}</bdi>`,
    html`<bdi>${note ?? ""}</bdi>`,
  ]);
  return table("What operators did", heads, rows, "Nobody changed anything yet.");
}

function wordsOfControl({ action, class: jobClass, model, on, slots }: Controlled): string {
  const what = [action, on === null ? null : onOff(on), slots, jobClass, model];
  return what.filter((part) => part !== null).join(" ");
}

function wordsOfSwitch({ enabled, models = {}, order, provider }: Switched): string {
  if (order !== undefined) return `ask ${order?.join(", ") ?? "as the rule decides"}`;
  const parts = [
    ...(enabled === undefined ? [] : [onOff(enabled)]),
    ...Object.entries(models).map(([model, isOn]) => `${model} ${onOff(isOn)}`),
  ];
  return `${provider ?? "providers"} ${parts.join(", ")}`;
}

function onOff(isOn: boolean): string {
  return isOn ? "on" : "off";
}
