import type { CorpusExchange } from "./corpus-exchange.ts";
import { type ExchangeAnswer, exchangeAnswer, type Place } from "./exchange-answer.ts";

/**
 * `pieces`: equal but for the chunks of a whole JSON answer, which are those of the network.
 * `varies`: the direct answer's body is another each time, so all but the body was compared; or it
 * lists the same models in another order, which Ollama draws anew for those made in one second.
 */
export type Verdict = "equal" | "pieces" | "varies" | "differs";

export type Comparison = {
  readonly name: string;
  /** The path, without the query. */
  readonly route: string;
  readonly verdict: Verdict;
  readonly tries: number;
  /** What differs, `direct` against `via`; empty unless it differs. */
  readonly differences: readonly string[];
};

type Sides = {
  readonly direct: Place;
  readonly via: Place;
  /** The longest that an answer may take, in milliseconds. */
  readonly withinMs: number;
  /** What of a body is each side's own, such as the names of models that it made. */
  readonly own?: RegExp;
};

/**
 * Sends one exchange to both sides and judges. `twin` is the same exchange as it is sent to `via`:
 * one that makes or deletes models has to name other ones there. What differs is asked once more,
 * on both sides, unless it changes something.
 */
export async function compareExchange(
  exchange: CorpusExchange,
  twin: CorpusExchange,
  sides: Sides,
): Promise<Comparison> {
  const route = exchange.request.toString().split(/[ ?]/, 2)[1] ?? "";
  const judged = { name: exchange.name, route };
  const first = await askBoth(exchange, twin, sides);
  if (isSame(first)) return { ...judged, verdict: "equal", tries: 1, differences: [] };
  const isRepeatable = exchange.request.equals(twin.request);
  const again = isRepeatable ? await askBoth(exchange, twin, sides) : first;
  const tries = isRepeatable ? 2 : 1;
  const verdict = judge(first, again);
  const differences = verdict === "differs" ? differencesOf(again) : [];
  return { ...judged, verdict, tries, differences };
}

type Both = { readonly direct: ExchangeAnswer | string; readonly via: ExchangeAnswer | string };

async function askBoth(exchange: CorpusExchange, twin: CorpusExchange, sides: Sides) {
  const ask = async (each: CorpusExchange, place: Place) => {
    try {
      const answer = await exchangeAnswer(each, place, sides.withinMs);
      if (sides.own === undefined) return answer;
      const own = sides.own;
      return { ...answer, chunks: answer.chunks.map((chunk) => chunk.replaceAll(own, "OWN")) };
    } catch (error) {
      return `no answer: ${(error as Error).message}`;
    }
  };
  const direct = await ask(exchange, sides.direct);
  return { direct, via: await ask(twin, sides.via) };
}

function judge(first: Both, again: Both): Verdict {
  if (isSame(again)) return "equal";
  const direct = inOnePiece(again.direct);
  const via = inOnePiece(again.via);
  if (isSame({ direct, via })) return "pieces";
  if (isSame({ direct: inOneOrder(direct), via: inOneOrder(via) })) return "varies";
  const doesVary = !isSame({ direct: first.direct, via: again.direct });
  const isAlike = isSame({ direct: withoutBody(again.direct), via: withoutBody(again.via) });
  return doesVary && isAlike ? "varies" : "differs";
}

function isSame({ direct, via }: Both): boolean {
  return typeof direct !== "string" && JSON.stringify(direct) === JSON.stringify(via);
}

/** A whole answer past a few KiB comes in as many chunks as the network made of it. */
function inOnePiece(answer: ExchangeAnswer | string): ExchangeAnswer | string {
  const isStream = typeof answer === "string" || /ndjson|event-stream/.test(answer.headers.join());
  return isStream ? answer : { ...answer, chunks: [answer.chunks.join("")] };
}

function inOneOrder(answer: ExchangeAnswer | string): ExchangeAnswer | string {
  const body = typeof answer === "string" ? "" : answer.chunks.join("");
  const isOfModels = /^\{("models":\[|"object":"list","data":\[\{"id":)/.test(body);
  if (typeof answer === "string" || !isOfModels) return answer;
  const list = JSON.parse(body) as { models?: readonly unknown[]; data?: readonly unknown[] };
  const models = list.models ?? list.data ?? [];
  return { ...answer, chunks: models.map((model) => JSON.stringify(model)).toSorted() };
}

function withoutBody(answer: ExchangeAnswer | string): ExchangeAnswer | string {
  return typeof answer === "string" ? answer : { ...answer, chunks: [] };
}

function differencesOf({ direct, via }: Both): readonly string[] {
  if (typeof direct === "string" || typeof via === "string") {
    const shown = [direct, via].map((side) => (typeof side === "string" ? side : side.statusLine));
    return [`answer: ${shown.join(" | ")}`];
  }
  const fields = ["statusLine", "headers", "framing", "isWhole", "rest", "chunks"] as const;
  return fields.flatMap((field) => {
    const [one, other] = [direct[field], via[field]].map((value) => JSON.stringify(value));
    return one === other ? [] : [`${field}: ${apart(one ?? "", other ?? "")}`];
  });
}

/** Both texts from shortly before the place where they part. */
function apart(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = Math.max(0, at - 20);
  return `${one.slice(from, from + 120)} | ${other.slice(from, from + 120)}`;
}
