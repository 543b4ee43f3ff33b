import { describe, expect, test } from "vitest";
import { readFixture } from "../../fixtures/read-fixture.ts";
import { simFor } from "./ask.ts";
import { decodeGoJson } from "./go-decode.ts";
import { displayName, readModelReference } from "./model-name.ts";

type Refusal = {
  readonly kind: string;
  readonly body: string;
  readonly status: number;
  readonly contentType: string;
  readonly answer: string;
};

const routes: Readonly<Record<string, string>> = {
  chat: "/api/chat",
  generate: "/api/generate",
  "openai-chat": "/v1/chat/completions",
  "openai-completion": "/v1/completions",
  "openai-responses": "/v1/responses",
  "anthropic-messages": "/v1/messages",
};

/** The sim goes by JSON.parse, which keeps neither a number's spelling nor a repeated key. */
const isBeyondSim = ({ body, answer }: Refusal) =>
  /\de\d/.test(body) || /"(\w+)":[^{]*"\1":/.test(body) || answer.includes("{ Role string");

/** The tables of real answers are test/fixtures; every row goes over a socket. */
describe("what the sim refuses", () => {
  test("is refused as Ollama refuses it, to the byte", async () => {
    const sim = await simFor({ models: [], cloud: "disabled" });
    const rows = readFixture<Refusal>("ollama-refusals").filter((row) => !isBeyondSim(row));

    const differing: string[] = [];
    for (const row of rows) {
      const body = Buffer.from(row.body, "latin1");
      const answer = await fetch(sim.url + routes[row.kind], { method: "POST", body });
      const text = await answer.text();
      const got = [answer.status, answer.headers.get("content-type"), withoutId(text)];
      const wanted = [row.status, row.contentType, withoutId(row.answer)];
      if (JSON.stringify(got) !== JSON.stringify(wanted)) differing.push(row.body);
    }

    expect(rows.length).toBeGreaterThan(600);
    expect(differing).toEqual([]);
  });

  test("is JSON that Go refuses, in Go's words", () => {
    type Row = { readonly body: string; readonly error?: string };
    const rows = readFixture<Row>("go-json").filter(({ body }) => body !== "\u00ad");

    const differing = rows.filter(({ body, error }) => {
      const decoded = decodeGoJson(Buffer.from(body, "latin1"));
      return (decoded.kind === "error" ? decoded.message : undefined) !== error;
    });
    expect(differing).toEqual([]);
  });

  test("is a name that Ollama does not take", () => {
    type Row = { readonly name: string; readonly display: string | null };

    const differing = readFixture<Row>("model-names").filter(({ name, display }) => {
      const read = readModelReference(name);
      return (read.kind === "named" ? displayName(read.name) : null) !== display;
    });
    expect(differing).toEqual([]);
  });
});

function withoutId(text: string): string {
  return text.replace(/req_[0-9a-f]+/, "req");
}
