import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { posix } from "node:path";
import { TallyKeeper } from "../../src/dispatch/tally.ts";
import { createAccess } from "../../src/http/door/access.ts";
import { isAdminRoute } from "../../src/http/door/admin-routes.ts";
import { refuseUnsound, routePath } from "../../src/http/door/front-door.ts";
import { headersForClient, headersForTarget } from "../../src/target/hop-headers.ts";
import { JsonPeek } from "../../src/wire/json-peek.ts";
import { peekPlan, peekRequest } from "../../src/wire/peek-request.ts";
import type { RequestKind } from "../../src/wire/request-fields.ts";
import { ItemSplitter } from "../../src/wire/split-items.ts";
import type { FuzzTarget } from "./guided-fuzzer.ts";

const kinds: readonly RequestKind[] = [
  ...(["chat", "generate", "openai-chat", "openai-completion"] as const),
  ...(["anthropic-messages", "openai-responses"] as const),
];

const jsonWords = [
  ...[
    '"model":"m"',
    '"stream":true',
    '"keep_alive":"5m"',
    '"options":{"num_ctx":1}',
    '"messages":[]',
  ],
  ...["{", "}", "[", "]", ",", ":", '"', "\\u0041", "\\", "null", "true", "1e9", "-0.5", " ", "\n"],
  ...['"items":[', "\ud83e\udd99", '"__proto__":{}', '"raw":true', '"prompt":""', '"shift":null'],
];

/** The first byte says which request it is, the second where the body is cut in two. */
const peek: FuzzTarget = {
  name: "peek",
  seeds: ['\0\u0005{"model":"m","messages":[{"role":"user","content":"hi"}]}', "\u0001\u0001{}"],
  words: jsonWords,
  run(input) {
    const kind = kinds[(input[0] ?? 0) % kinds.length] ?? "chat";
    const body = input.subarray(2);
    const cut = Math.min(input[1] ?? 0, body.length);
    const peeked = [[body], [body.subarray(0, cut), body.subarray(cut)], bytesOf(body)].map(
      (chunks) => {
        const peek = new JsonPeek(peekPlan(kind));
        for (const chunk of chunks) peek.write(Buffer.from(chunk));
        return peek.end();
      },
    );
    const [whole, ...others] = peeked;
    assert(whole !== undefined);
    for (const other of others)
      assert.deepEqual(other, whole, "what is read depends on the chunks");
    assert(["request", "refusal"].includes(peekRequest(kind, whole).kind));
    const json = jsonOf(body);
    if (json === undefined) return;
    assert.equal(whole.kind, "value", "sound JSON is called malformed");
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    assert.equal(whole.kind === "value" && whole.object !== null, isObject);
  },
};

const items: FuzzTarget = {
  name: "items",
  seeds: ['\u0003{"provider":"x","items":[{"a":1}, 2,[]],"z":null}'],
  words: jsonWords,
  run(input) {
    const body = input.subarray(1);
    const cut = Math.min(input[0] ?? 0, body.length);
    const [whole, cutUp] = [split([body]), split([body.subarray(0, cut), body.subarray(cut)])];
    assert.deepEqual(cutUp, whole, "what is split off depends on the chunks");
    const json = jsonOf(body);
    if (json !== undefined) assert.equal(whole.problem, null);
    if (!hasItems(json) || whole.lists !== 1) return;
    assert.deepEqual(
      whole.items.map((item) => JSON.parse(item ?? "")),
      json.items,
    );
  },
};

const hop =
  /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-(connection|authenticate|authentication-info|authorization))$/i;

const headers: FuzzTarget = {
  name: "headers",
  seeds: ["Host: a\nConnection: x-a, close\nX-A: 1\nAccept: */*", "Set-Cookie: a\nSet-Cookie: b"],
  words: ["Connection: ", "X-A", "\n", ",", " ", "TE: ", "Via: ", "Proxy-Authorization: ", "close"],
  run(input) {
    const raw = input
      .toString("latin1")
      .split("\n")
      .flatMap((line) => {
        const colon = line.indexOf(":");
        return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1)];
      });
    for (const [copy, isKept] of [
      [headersForTarget, (name: string) => !/^(host|origin|cookie|authorization|via)$/i.test(name)],
      [headersForClient, (name: string) => !/^access-control-/i.test(name)],
    ] as const) {
      const kept = copy(raw);
      assert.equal(kept.length % 2, 0);
      let at = 0;
      for (let i = 0; i < kept.length; i += 2) {
        const name = kept[i] ?? "";
        assert(!hop.test(name), `${name} passed`);
        assert(isKept(name), `${name} passed`);
        while (at < raw.length && !(raw[at] === name && raw[at + 1] === kept[i + 1])) at += 2;
        assert(at < raw.length, `${name} was not sent, or not in this order`);
        at += 2;
      }
      for (const named of namedIn(raw)) {
        assert(!kept.some((name, i) => i % 2 === 0 && name.toLowerCase() === named), named);
      }
    }
  },
};

const adminPath = /^\/(api\/(pull|create|push|copy|delete)|foreman\/(backup|pause|drain|slots))$/;

/** A request line; nobody without a token gets past a probe's door, nor a user to what is closed. */
const router: FuzzTarget = {
  name: "router",
  seeds: ["POST /api/chat?x=1", "DELETE /api/delete", "GET /foreman/page/main.js", "GET /healthz"],
  words: [
    "/",
    "..",
    "%2f",
    "%25",
    "%5c",
    "?",
    "#",
    ";",
    "api",
    "foreman",
    "/api/pull",
    "POST ",
    "\\",
  ],
  run(input) {
    const [method = "", url = ""] = input.toString("latin1").split(" ", 2);
    // Node's parser lets none of these through.
    if (/[^!-~\u0080-\u00ff]/.test(url)) return;
    const rawHeaders = ["Host", "a"];
    const facts = { headers: { host: "a" }, httpVersion: "1.1", method, rawHeaders, url };
    const incoming = facts as unknown as IncomingMessage;
    const refusal = refuseUnsound(incoming);
    const access = createAccess({ isAsked: true, find: () => null })(incoming);
    if (refusal !== null) return;
    const path = routePath(url);
    assert(path !== null && url.startsWith("/") && !url.includes("#"));
    if (access.kind === "granted") {
      const isOpen = /^\/(livez|healthz|readyz|foreman(\/(page\/[\w-]+\.\w+)?)?)$/.test(path);
      assert(isOpen && method !== "POST", `${method} ${url} is open to all`);
    }
    for (const reading of [path, decoded(path), new URL(`http://a${url}`).pathname]) {
      const cleaned = posix.normalize(reading.replaceAll("\\", "/")).replace(/\/+$/, "");
      if (adminPath.test(cleaned.toLowerCase())) {
        assert(isAdminRoute(method, path), `${method} ${url} is open to users`);
      }
    }
  },
};

const tally: FuzzTarget = {
  name: "tally",
  seeds: ['\0{"done":false}\n{"done":true,"eval_count":2}\n', "\u0001data: {}\n\ndata: [DONE]\n\n"],
  words: [...jsonWords, '"done":true', "data: ", "[DONE]", "\n\n", '"error":"x"', '"eval_count":'],
  run(input) {
    const [route = "", type = ""] = tallyRoutes[(input[0] ?? 0) % tallyRoutes.length] ?? [];
    const head = { statusCode: 200, statusText: "OK", isDelimited: true };
    const answer = input.subarray(1);
    const [whole, cutUp] = [[answer], bytesOf(answer)].map((chunks) => {
      const keeper = new TallyKeeper(route, { ...head, rawHeaders: ["Content-Type", type] });
      for (const chunk of chunks) keeper.chunk(Buffer.from(chunk));
      return keeper.read();
    });
    assert.deepEqual(cutUp, whole, "what an answer amounts to depends on its chunks");
    if (route !== "/api/chat" || !whole?.isComplete) return;
    const last = answer.toString().trimEnd().split("\n").at(-1) ?? "";
    assert.equal(JSON.parse(last).done, true, "half an answer counts as a whole one");
  },
};

const tallyRoutes: readonly (readonly [route: string, type: string])[] = [
  ["/api/chat", "application/x-ndjson"],
  ["/v1/chat/completions", "text/event-stream"],
  ["/v1/responses", "text/event-stream"],
  ["/v1/completions", "application/json"],
];

export const fuzzTargets: readonly FuzzTarget[] = [peek, items, headers, router, tally];

function bytesOf(bytes: Buffer): readonly Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** Undefined for what is no JSON, or no UTF-8. */
function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function hasItems(json: unknown): json is { readonly items: readonly unknown[] } {
  return typeof json === "object" && json !== null && "items" in json && Array.isArray(json.items);
}

function split(chunks: readonly Buffer[]) {
  const members: (readonly [name: string, value: string | null])[] = [];
  const found: (string | null)[] = [];
  const splitter = new ItemSplitter({
    onMember: (name, value) => members.push([name, value?.toString("latin1") ?? null]),
    onItem: (item) => found.push(item?.toString() ?? null),
    memberBytesMax: 64,
    itemBytesMax: 2_048,
  });
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  const { isObject, listsOfItems: lists } = splitter;
  return { members, items: found, isObject, lists, problem: splitter.end() };
}

function namedIn(raw: readonly string[]): readonly string[] {
  return raw
    .filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === "connection")
    .flatMap((value) => value.toLowerCase().split(","))
    .map((name) => name.trim())
    .filter((name) => !["", "close", "keep-alive"].includes(name));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
