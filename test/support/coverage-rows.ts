import { type CatalogueCase, faultCatalogue } from "./fault-catalogue.ts";

/** A test file, and its text. */
export type TestFile = { readonly file: string; readonly text: string };

const idAtHead = /^(?:[HSQOUDAIXP]\d{1,2}[ ,:]+)+/;
/** In these files the letter I is an invariant of the history checker, not an input. */
const isOfHistory = /journeys\/(kill|batch|cancel)/;

/** The table of docs/reliability.md: a row for each case of the catalogue. */
export function coverageTable(tests: readonly TestFile[]): string {
  const named = namesById(tests);
  const rows = faultCatalogue.map((each) => rowOf(each, named.get(each[0]) ?? []));
  return ["| Case | What | Tried by |", "|---|---|---|", ...rows].join("\n");
}

function rowOf([id, what, untried]: CatalogueCase, names: readonly TestFile[]): string {
  const [first] = names;
  const tried = first && `\`${first.file}\`: "${first.text.replaceAll("|", "\\|")}"`;
  const parts = [tried, untried].filter((part) => part !== undefined);
  if (parts.length === 0) throw new Error(`${id} has neither a test nor a reason`);
  return `| ${id} | ${what} | ${parts.join("; ")} |`;
}

function namesById(tests: readonly TestFile[]): ReadonlyMap<string, readonly TestFile[]> {
  const named = new Map<string, TestFile[]>();
  for (const { file, text } of tests) {
    for (const [, name = ""] of text.matchAll(
      /^\s*\(?(?:test|describe|it)?.*?["`]([^"`\n]+)["`]/gm,
    )) {
      for (const id of idAtHead.exec(name)?.[0].match(/[A-Z]\d+/g) ?? []) {
        if (id.startsWith("I") && isOfHistory.test(file)) continue;
        named.set(id, [...(named.get(id) ?? []), { file, text: name }]);
      }
    }
  }
  return named;
}
