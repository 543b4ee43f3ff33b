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
