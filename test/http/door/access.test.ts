import { describe, expect, test } from "vitest";
import { Clients } from "../../../src/access/clients.ts";
import { createAccess } from "../../../src/http/door/access.ts";
import { createLog } from "../../../src/log.ts";
import { headOf, received } from "../received.ts";

async function judge(
  line: string,
  headers: readonly string[] = [],
  token: string | null = "s3cret",
) {
  const { incoming } = await received(headOf(`${line} HTTP/1.1`, headers));
  const clients = new Clients({ token, file: null, log: createLog("silent") });
  return createAccess(clients)(incoming).kind;
}

const chat = "POST /api/chat";

describe("access with a token", () => {
  test.each([
    ["Authorization: Bearer s3cret"],
    ["authorization: Bearer s3cret"],
    ["x-api-key: s3cret"],
    [`Authorization: Basic ${Buffer.from("anyone:s3cret").toString("base64")}`],
    ["X-Api-Key: s3cret"],
  ])("A2: is granted to %s", async (header) => {
    expect(await judge(chat, [header])).toBe("granted");
  });

  test("A2: is granted to a bearer beside a key of another service's, as some SDKs send", async () => {
    const both = ["Authorization: Bearer s3cret", "x-api-key: sk-ant"];
    expect(await judge(chat, both)).toBe("granted");
  });

  test("A2: is granted though another header's value is the name of this one", async () => {
    const names = ["X-Note: authorization", "X-Other: x-api-key", "Authorization: Bearer s3cret"];
    expect(await judge(chat, names)).toBe("granted");
  });

  test.each([
    ["nothing", []],
    ["another token", ["Authorization: Bearer s3cres"]],
    ["the beginning of the token", ["Authorization: Bearer s3cre"]],
    ["more than the token", ["Authorization: Bearer s3crett"]],
    ["another case of the token", ["Authorization: Bearer S3CRET"]],
    ["the scheme in small letters", ["Authorization: bearer s3cret"]],
    ["two blanks", ["Authorization: Bearer  s3cret"]],
    ["a tab", ["Authorization: Bearer\ts3cret"]],
    ["no scheme", ["Authorization: s3cret"]],
    ["Basic", ["Authorization: Basic s3cret"]],
    ["Basic with the token as the user", [`Authorization: Basic ${btoa("s3cret:")}`]],
    ["Basic without its padding", ["Authorization: Basic eDpzM2NyZXQ"]],
    ["an empty token", ["Authorization: Bearer "]],
    ["quotes", ['Authorization: Bearer "s3cret"']],
    ["two tokens in one", ["Authorization: Bearer s3cret, Bearer s3cret"]],
    ["two headers", ["Authorization: Bearer s3cret", "Authorization: Bearer s3cret"]],
    ["two headers in two cases", ["Authorization: Bearer s3cret", "authorization: Basic x"]],
    ["a wrong bearer beside a right key", ["Authorization: Bearer no", "x-api-key: s3cret"]],
    ["a wrong key", ["x-api-key: s3cres"]],
    ["an empty key", ["x-api-key:"]],
    ["two keys", ["x-api-key: s3cret", "x-api-key: s3cret"]],
    ["a token and a word behind it", ["Authorization: Bearer s3cret x"]],
    ["base64 without a colon in it", [`Authorization: Basic ${btoa("s3cret")}`]],
    ["a cookie", ["Cookie: token=s3cret"]],
    ["a token of 12 KB", [`Authorization: Bearer s3cret${"x".repeat(12_000)}`]],
  ])("A2: is denied to %s", async (_, headers) => {
    expect(await judge(chat, headers)).toBe("denied");
  });

  test("A2: is denied to a token in the query", async () => {
    expect(await judge(`${chat}?token=s3cret&access_token=s3cret`)).toBe("denied");
  });

  test.each(["GET /livez", "GET /healthz", "HEAD /readyz", "GET /healthz?require=target"])(
    "lets probes in: %s",
    async (line) => {
      expect(await judge(line)).toBe("granted");
    },
  );

  test.each([
    ...["POST /healthz", "GET /healthz/", "GET //healthz", "GET /%68ealthz", "GET /HEALTHZ"],
    ...["GET /health", "GET /", "GET /metrics", "GET /api/tags", "GET /livez/../api/tags"],
  ])("lets nobody else in by resembling a probe: %s", async (line) => {
    expect(await judge(line)).toBe("denied");
  });
});

describe("what access grants", () => {
  const granted = async (line: string, headers: readonly string[], token: string | null) => {
    const { incoming } = await received(headOf(`${line} HTTP/1.1`, headers));
    return createAccess(new Clients({ token, file: null, log: createLog("silent") }))(incoming);
  };

  test("is the client's own name and scope; to a probe a user's, to all an admin's without tokens", async () => {
    const bearer = ["Authorization: Bearer s3cret"];
    const own = { kind: "granted", name: "default", scope: "admin" };
    const nobody = { kind: "granted", name: null };

    expect(await granted(chat, bearer, "s3cret")).toEqual(own);
    expect(await granted("GET /healthz", [], "s3cret")).toEqual({ ...nobody, scope: "user" });
    expect(await granted(chat, [], null)).toEqual({ ...nobody, scope: "admin" });
  });

  test.each([
    ...["/foreman", "/foreman/", "/foreman/page/main.js", "/foreman/page/a-b.css"],
    "/foreman/page/uPlot_1.js",
  ])("is the page and its files, for who has no token: %s", async (path) => {
    expect((await granted(`GET ${path}`, [], "s3cret")).kind).toBe("granted");
    expect((await granted(`POST ${path}`, [], "s3cret")).kind).toBe("denied");
  });

  test.each([
    ...["/foreman/status", "/foreman/page/", "/foreman/page/..", "/foreman/page/a/b.js"],
    ...["/x/foreman/", "/foreman/page/.js", "/foreman/page/main.js/x", "/foreman/page/main"],
    ...["/foreman/page/main.%6as", "/foremanx"],
  ])("is nothing that only resembles them: %s", async (path) => {
    expect((await granted(`GET ${path}`, [], "s3cret")).kind).toBe("denied");
  });
});

describe("access without a token", () => {
  test("is everyone's, whatever they present", async () => {
    expect(await judge(chat, [], null)).toBe("granted");
    expect(await judge(chat, ["Authorization: Bearer anything"], null)).toBe("granted");
  });
});
