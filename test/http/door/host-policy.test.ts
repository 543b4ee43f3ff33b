import { describe, expect, test } from "vitest";
import { localAddresses } from "../../../src/http/door/build-reception.ts";
import { decideHost, type HostPolicyOptions } from "../../../src/http/door/host-policy.ts";
import { readFixture } from "../../fixtures/read-fixture.ts";

type HostCase = { addr: string; method: string; host: string; status: number };

const here = { hostname: "mybox", localAddresses: ["8.8.4.4"], allowedHosts: [] };
const onLoopback = { ...here, boundAddress: "127.0.0.1" };

function isPassed(host: string, options: HostPolicyOptions): boolean {
  return decideHost("GET", host, options) === "pass";
}

function boundAddressOf(addr: string): string | null {
  return addr.startsWith("/") ? null : addr.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
}

describe("decideHost", () => {
  test("decides as Ollama does, on every binding", () => {
    for (const { addr, method, host, status } of readFixture<HostCase>("hosts")) {
      const options = { ...here, boundAddress: boundAddressOf(addr) };
      const decision = decideHost(method, host.replace("HOSTNAME", "MyBox"), options);

      const isAnswered = method === "OPTIONS" && status === 204;
      const expected = status === 403 ? "refuse" : isAnswered ? "answer_options" : "pass";
      expect(decision, `${addr} ${method} ${host}`).toBe(expected);
    }
  });

  test("takes an address of the machine's own, and no other public one", () => {
    expect(isPassed("8.8.4.4:80", onLoopback)).toBe(true);
    expect(isPassed("8.8.8.8:80", onLoopback)).toBe(false);
  });

  test("takes the machine's own IPv6 addresses and the unspecified one, and nothing like them", () => {
    const localAddresses = ["not an address", "8.8.4.4", "2001:db8::7"];
    const options = { ...onLoopback, localAddresses };

    const passing = ["[2001:db8::7]:80", "8.8.4.4", "[::]:80", "[0:0:0:0:0:0:0:0]:80", "0.0.0.0"];
    const refused = [
      "[2001:db8::8]:80",
      "[2001:db8::]:80",
      "[::8.8.8.8]:80",
      "8.8.4.5",
      "[::5]:80",
    ];
    for (const host of passing) expect(isPassed(host, options), host).toBe(true);
    for (const host of refused) expect(isPassed(host, options), host).toBe(false);
  });

  test("takes no header with a stray bracket for the host inside", () => {
    const options = { ...onLoopback, allowedHosts: ["foreman.lan"] };

    for (const host of ["[localhost]]:80", "local[host:80", "localhost:8]0", "[[localhost]:80"]) {
      expect(isPassed(host, options), host).toBe(false);
    }
    expect(isPassed("localhost:80", options)).toBe(true);
  });

  test("takes a name of the list alone, and names below one with a star", () => {
    const options = { ...onLoopback, allowedHosts: ["foreman.example", "*.boxes.example"] };

    for (const host of ["Foreman.example", "a.boxes.example:80", "a.b.boxes.example"]) {
      expect(isPassed(host, options), host).toBe(true);
    }
    for (const host of ["x.foreman.example", "boxes.example", "aboxes.example", "example"]) {
      expect(isPassed(host, options), host).toBe(false);
    }
  });

  test("checks hosts on a name that it was bound to, and on none that is public", () => {
    expect(isPassed("evil.example", { ...here, boundAddress: "localhost" })).toBe(false);
    expect(isPassed("evil.example", { ...here, boundAddress: "0.0.0.0" })).toBe(true);
  });

  test("knows no address of the machine's own where the service manager withholds them", () => {
    const withheld = () => {
      throw new Error("uv_interface_addresses returned Unknown system error 97");
    };

    expect(localAddresses(withheld)).toEqual([]);
    expect(localAddresses()).toContain("127.0.0.1");
  });

  test("adds the listed hosts to those that Ollama takes", () => {
    const options = { ...onLoopback, allowedHosts: ["Foreman.example.com", "*.lan"] };

    expect(isPassed("foreman.EXAMPLE.com:8080", options)).toBe(true);
    expect(isPassed("a.lan", options)).toBe(true);
    expect(isPassed("localhost", options)).toBe(true);
    expect(isPassed("lan", options)).toBe(false);
    expect(isPassed("evil.com", options)).toBe(false);
  });

  test("checks a public binding only when hosts are listed", () => {
    const open = { ...here, boundAddress: "0.0.0.0" };

    expect(isPassed("evil.com", open)).toBe(true);
    expect(isPassed("evil.com", { ...open, allowedHosts: ["good.com"] })).toBe(false);
    expect(isPassed("good.com", { ...open, allowedHosts: ["good.com"] })).toBe(true);
  });
});
