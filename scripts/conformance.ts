/**
 * Compares an Ollama asked directly with the same one asked through foreman:
 *
 *   npm run conformance -- --target http://127.0.0.1:11434 --via http://127.0.0.1:8080
 *
 * Loads and unloads the models that it asks and changes nothing else; with --with-changes it also
 * makes, copies and deletes models of its own (foreman-conformance-*). --chat-model, --embed-model,
 * --think-model and --tool-model choose models (else the smallest that can), --token is foreman's,
 * --all lists every exchange. Prints a table; exits 1 if anything differs that docs/conformance.md
 * does not name, 2 if it could not begin.
 */
import { parseArgs } from "node:util";
import {
  type Comparison,
  compareExchange,
  type Verdict,
} from "../test/support/compare-exchanges.ts";
import type { Place } from "../test/support/exchange-answer.ts";
import { type CorpusModels, exchangeCorpus } from "../test/support/exchange-corpus.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: "http://127.0.0.1:11434" },
    via: { type: "string", default: "http://127.0.0.1:8080" },
    token: { type: "string" },
    "chat-model": { type: "string" },
    "embed-model": { type: "string" },
    "think-model": { type: "string" },
    "tool-model": { type: "string" },
    "with-changes": { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    "timeout-s": { type: "string", default: "300" },
  },
});

type Listed = {
  readonly name: string;
  readonly size: number;
  readonly capabilities?: readonly string[];
  readonly remote_host?: string;
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const verdicts: readonly Verdict[] = ["equal", "pieces", "varies", "differs"];

process.exitCode = await compareAll().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return 2;
});

async function compareAll(): Promise<number> {
  const sides = {
    direct: placeOf("--target", values.target),
    via: { ...placeOf("--via", values.via), ...(values.token && { token: values.token }) },
    withinMs: Number(values["timeout-s"]) * 1_000,
    // The second one to create a model finds the first one's layers there.
    own: /foreman-conformance-[ab]|(creating new|using existing) layer/g,
  };
  const models = await chooseModels();
  say(`chat ${models.chat}, thinking ${models.thinking}, tools ${models.tools}`);
  say(`embedding ${models.embedding}\n`);
  const corpus = (side: string) =>
    exchangeCorpus(models, {
      ownStem: values["with-changes"] ? `foreman-conformance-${side}` : null,
      cloud: false,
    });
  // Names of one length, so that lengths can be compared as well.
  const [direct, via] = [corpus("a"), corpus("b")];
  const compared: Comparison[] = [];
  for (const [i, exchange] of direct.entries()) {
    const comparison = await compareExchange(exchange, via[i] ?? exchange, sides);
    compared.push(comparison);
    if (values.all) say(`${comparison.verdict.padEnd(8)} ${comparison.name}`);
  }
  tell(compared);
  return compared.some(({ verdict }) => verdict === "differs") ? 1 : 0;
}

function placeOf(option: string, text: string): Place {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "http:") {
    throw new Error(`${option}: "${text}" is no http:// URL; TLS would hide what is compared`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isLocal = ["127.0.0.1", "localhost", "::1"].includes(host);
  return { host, port: Number(url.port || 80), ...(!isLocal && { hostHeader: url.host }) };
}

/** Those that were named, else the smallest of the target that can do it; an old Ollama tells none. */
async function chooseModels(): Promise<CorpusModels> {
  const response = await fetch(new URL("/api/tags", values.target)).catch(() => null);
  if (!response?.ok) throw new Error(`no Ollama answers at --target ${values.target}`);
  const { models } = (await response.json()) as { models: readonly Listed[] };
  const here = models.filter(({ remote_host }) => !remote_host);
  const shown = await Promise.all(here.map(shownModel));
  const local = shown.toSorted((one, other) => one.size - other.size);
  const able = (capability: string) =>
    local.find(({ capabilities }) => capabilities?.includes(capability))?.name;
  const isEmbedder = ({ name }: Listed) => /embed|bge|minilm/i.test(name);
  const spoken = local.find((model) => !model.capabilities && !isEmbedder(model))?.name;
  const plain = local.find(
    ({ capabilities }) =>
      capabilities?.includes("completion") && !capabilities.includes("thinking"),
  )?.name;
  const chat = values["chat-model"] ?? plain ?? able("completion") ?? spoken;
  const embedding = values["embed-model"] ?? able("embedding") ?? local.find(isEmbedder)?.name;
  if (chat === undefined || embedding === undefined) {
    const kind = chat === undefined ? "chat" : "embed";
    throw new Error(`the target has no model for it: pull one, or name one with --${kind}-model`);
  }
  return {
    chat,
    embedding,
    thinking: values["think-model"] ?? able("thinking") ?? chat,
    tools: values["tool-model"] ?? able("tools") ?? chat,
  };
}

/** With its capabilities: those of a chat template that came with the weights are not in the list. */
async function shownModel(listed: Listed): Promise<Listed> {
  const init = { method: "POST", body: JSON.stringify({ model: listed.name }) };
  const response = await fetch(new URL("/api/show", values.target), init);
  const shown = response.ok ? ((await response.json()) as Partial<Listed>) : {};
  return shown.capabilities ? { ...listed, capabilities: shown.capabilities } : listed;
}

function tell(compared: readonly Comparison[]): void {
  const routes = [...new Set(compared.map(({ route }) => route))].toSorted();
  const width = 44;
  const row = (name: string, cells: readonly (string | number)[]) =>
    say(
      `${name.slice(0, width).padEnd(width)} ${cells.map((cell) => String(cell).padStart(8)).join("")}`,
    );
  const count = (of: readonly Comparison[]) => [
    of.length,
    ...verdicts.map((verdict) => of.filter((each) => each.verdict === verdict).length),
  ];
  row("route", ["asked", ...verdicts]);
  for (const route of routes) row(route, count(compared.filter((each) => each.route === route)));
  row("all", count(compared));
  const varying = compared.filter(({ verdict }) => verdict === "varies");
  if (varying.length > 0) say(`\nvaries: ${varying.map(({ name }) => name).join("; ")}`);
  for (const { differences, name, verdict } of compared) {
    if (verdict !== "differs") continue;
    say(`\ndiffers: ${name}`);
    for (const difference of differences) say(`  ${difference}`);
  }
}
