/** Bars beside each other, for a look; the table of the same row has the numbers. */
export type Plot = {
  /** Its file's name, without an ending. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
  /** What must be kept to, as a line across; null: nothing. */
  readonly limit: number | null;
  readonly decimals: number;
};

const width = 640;
const labelWidth = 240;
const valueWidth = 90;
const barHeight = 18;
const step = 26;
const top = 44;

/**
 * A plot as an SVG document of plain text: five kinds of element are all that bars need, and a
 * library for them would be larger than foreman. It follows the reader's light or dark theme, also
 * as an image in a page of Markdown.
 */
export function drawPlot({ bars, decimals, limit, name, title, unit }: Plot): string {
  const shown = bars.filter(({ value }) => Number.isFinite(value));
  const most = Math.max(limit ?? 0, ...shown.map(({ value }) => value));
  const span = width - labelWidth - valueWidth;
  const lengthOf = (value: number) => (most <= 0 ? 0 : (Math.max(0, value) / most) * span);
  const height = top + shown.length * step + 12;
  const rects = shown.map((bar, index) => {
    const length = round(lengthOf(bar.value));
    const kind = bar.name.startsWith("foreman") ? "own" : "other";
    const y = top + index * step;
    return `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`;
  });
  const words = shown.flatMap(({ name: label, value }, index) => {
    const x = round(labelWidth + lengthOf(value) + 6);
    const baseline = top + index * step + barHeight - 5;
    return [
      `<text class="label" x="${labelWidth - 8}" y="${baseline}">${escaped(label)}</text>`,
      `<text class="value" x="${x}" y="${baseline}">${number(value, decimals)}</text>`,
    ];
  });
  const line = limit === null ? "" : "; line: the bar";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${name}">
<title id="${name}">${escaped(title)}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.label { text-anchor: end; }
.value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
.head { font-weight: 600; }
.own { fill: #0969da; }
.other { fill: #8c959f; }
.limit { stroke: #cf222e; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.value { stroke: #0d1117; }
.own { fill: #4493f8; }
.other { fill: #6e7681; }
.limit { stroke: #f85149; }
}
</style>
<text class="head" x="8" y="20">${escaped(title)}, ${escaped(unit)}${line}</text>
${[...rects, ...limitLine(limit, lengthOf, height), ...words].join("\n")}
</svg>
`;
}

function limitLine(limit: number | null, lengthOf: (value: number) => number, height: number) {
  if (limit === null) return [];
  const x = round(labelWidth + lengthOf(limit));
  return [`<line class="limit" x1="${x}" x2="${x}" y1="${top - 10}" y2="${height - 8}"/>`];
}

function number(value: number, decimals: number): string {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return value.toLocaleString("en-US", digits);
}

function round(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
