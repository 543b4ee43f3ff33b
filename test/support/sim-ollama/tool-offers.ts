import type { ToolOffer } from "./answer-plan.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The tools of a request in any API's form: nested under `function`, flat, or Anthropic's. */
export function readTools(tools: readonly unknown[]): ToolOffer[] {
  return tools.map((tool) => {
    const outer = asFields(tool);
    const inner = asFields(outer.function);
    const schema = inner.parameters ?? outer.parameters ?? outer.input_schema ?? {};
    return { name: String(inner.name ?? outer.name ?? ""), schema };
  });
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
