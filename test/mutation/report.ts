import type { MutatedModule } from "./modules.ts";

type Mutant = { readonly status: string };

/** The row of one module in docs/mutation.md; a mutant that never ended was noticed, too. */
export function rowOf(
  { name, what }: MutatedModule,
  mutants: readonly Mutant[],
  day: string,
): string {
  const count = (...statuses: string[]) =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const noticed = count("Killed", "Timeout");
  const all = noticed + count("Survived", "NoCoverage");
  const score = ((100 * noticed) / all).toFixed(1);
  return `| ${name} | ${what} | ${all} | ${noticed} | ${score} % | ${day} |`;
}

/** The page with that row in place of the module's earlier one, or behind the table's last. */
export function withRow(page: string, row: string): string {
  const lines = page.split("\n");
  const nameOf = (line: string) => line.split("|")[1]?.trim();
  const same = lines.findIndex((line) => line.startsWith("| ") && nameOf(line) === nameOf(row));
  if (same >= 0) return lines.with(same, row).join("\n");
  const last = lines.findLastIndex((line) => line.startsWith("|"));
  return lines.toSpliced(last + 1, 0, row).join("\n");
}
