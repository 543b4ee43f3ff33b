import { printable } from "./printable.ts";

/** Two spaces keep columns apart where one may stand in a cell. */
const gap = "  ";

/** Narrower than this a last column says nothing any more. */
const lastColumnMin = 12;

/**
 * Rows in columns below `titles`, each line cut at `width` letters; null for no limit, null in a
 * cell for nothing to tell. Cells are made printable. Ends without a line break.
 */
export function table(
  titles: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  width: number | null,
): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell === null ? "-" : `${cell}`)));
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + gap.length, 0);
  const lineMax = width === null ? Infinity : Math.max(width, before + lastColumnMin);
  const line = (row: readonly string[]) =>
    cut(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join(gap)
        .trimEnd(),
      lineMax,
    );
  return [line(titles), ...cells.map(line)].join("\n");
}

/** At most `max` letters, an ellipsis for what was left out. */
function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
