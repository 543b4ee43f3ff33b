import { html, nothing, type TemplateResult } from "lit-html";
import type { ListReader } from "./list-reader.ts";
import { button } from "./pieces.ts";

/** Back and forward through a list; nothing where one page holds it all. */
export function pager(
  reader: Pick<ListReader<{ next: number | null }>, "page" | "pageNumber" | "back" | "forward">,
  label: string,
): TemplateResult | typeof nothing {
  const hasMore = reader.page?.next != null;
  if (!hasMore && reader.pageNumber === 1) return nothing;
  return html`<nav class="pager" aria-label=${label}>
    ${button("← Newer", () => void reader.back(), { isOff: reader.pageNumber === 1 })}
    <span>page ${reader.pageNumber}</span>
    ${button("Older →", () => void reader.forward(), { isOff: !hasMore })}
  </nav>`;
}
