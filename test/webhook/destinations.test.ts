import { describe, expect, test } from "vitest";
import { Destinations } from "../../src/webhook/destinations.ts";
import { parseAllowedHost } from "../../src/wire/allowed-host.ts";

function allowing(...entries: readonly string[]): Destinations {
  return new Destinations(
    entries.map((entry) => {
      const host = parseAllowedHost(entry);
      if (typeof host === "string") throw new Error(`"${entry}" ${host}`);
      return host;
    }),
  );
}

/** What is kept of the URL, or null if it is refused. */
function kept(destinations: Destinations, url: string): string | null {
  const read = destinations.read(url);
  return read.kind === "allowed" ? read.url : null;
}

describe("a list of hosts", () => {
  test.each([
    ["hooks.example.com", "https://hooks.example.com/x", true],
    ["hooks.example.com", "http://hooks.example.com:80/x", true],
    ["hooks.example.com", "https://hooks.example.com:8443/x", false],
    ["hooks.example.com", "http://hooks.example.com:443/x", false],
    ["hooks.example.com:8443", "https://hooks.example.com:8443/x", true],
    ["hooks.example.com:8443", "https://hooks.example.com/x", false],
    ["hooks.example.com:80", "http://hooks.example.com/x", true],
    ["localhost:*", "http://localhost:3000/x", true],
    ["localhost:*", "https://localhost/x", true],
    ["HOOKS.example.com", "https://hooks.EXAMPLE.com./x", true],
    ["bücher.example", "https://xn--bcher-kva.example/x", true],
    ["hooks.example.com", "https://example.com/x", false],
    ["hooks.example.com", "https://a.hooks.example.com/x", false],
    ["hooks.example.com", "https://hooks.example.com.evil.test/x", false],
    ["*.example.com", "https://hooks.example.com/x", true],
    ["*.example.com", "https://a.b.example.com/x", true],
    ["*.example.com", "https://example.com/x", false],
    ["*.example.com", "https://evilexample.com/x", false],
    ["*.example.com:8443", "https://hooks.example.com:8443/x", true],
    ["127.0.0.1:9000", "http://0x7f.1:9000/x", true],
    ["0x7f.1:9000", "http://127.0.0.1:9000/x", true],
    ["[::1]:9000", "http://[0:0::1]:9000/x", true],
    ["127.0.0.1:9000", "http://localhost:9000/x", false],
    ["localhost:9000", "http://127.0.0.1:9000/x", false],
    ["127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000/x", false],
  ])("with %s takes %s: %s", (entry, url, isAllowed) => {
    expect(kept(allowing(entry), url) !== null).toBe(isAllowed);
  });

  test.each([
    "ftp://hooks.example.com/x",
    "https://user@hooks.example.com/x",
    "https://user:word@hooks.example.com/x",
    "https://hooks.example.com/x#part",
    "https://hooks.example.com/#",
    "hooks.example.com/x",
    "//hooks.example.com/x",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://",
    "",
  ])("takes no %s, though the host is on it", (url) => {
    expect(kept(allowing("hooks.example.com"), url)).toBeNull();
  });

  test("keeps the URL as the parser writes it, path and query whole", () => {
    const url = "HTTPS://Hooks.Example.com.:443/a%2Fb/ü?q=1 2&r=#".slice(0, -1);

    expect(kept(allowing("hooks.example.com"), url)).toBe(
      "https://hooks.example.com/a%2Fb/%C3%BC?q=1%202&r=",
    );
  });
});

describe("A9: an entry of the list", () => {
  test.each([
    "",
    "*",
    "*.127.0.0.1",
    "*.7f.1",
    "https://hooks.example.com",
    "hooks.example.com/x",
    "hooks.example.com:0",
    "hooks.example.com:65536",
    "hooks.example.com:x",
    "user@hooks.example.com",
    "a.*.example.com",
    "::1",
    "[::1",
    "[::1%eth0]",
    "a b",
  ])("is not %j", (entry) => {
    expect(parseAllowedHost(entry)).toEqual(expect.any(String));
  });
});

/** Addresses by what the host's entry must be for a name that stands for them. */
const reaches: Readonly<Record<"public" | "private" | "special", readonly string[]>> = {
  public: ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"],
  private: [
    ...["127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["100.64.0.1", "::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1"],
  ],
  special: [
    ...["169.254.169.254", "169.254.1.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255"],
    ...["192.0.0.192", "198.18.0.1", "240.0.0.1", "192.88.99.1", "fe80::1", "fe80::1%eth0", "::"],
    ...["ff02::1", "fec0::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1"],
    ...["::ffff:0:127.0.0.1", "::ffff:169.254.169.254", "100::1", "2001:db8::1"],
    ...["168.63.129.16", "100.100.100.200", "fd00:ec2::254", "nonsense", ""],
  ],
};

describe("A9: a name", () => {
  const named = allowing("hooks.example.com", "*.example.com", "169.254.169.254");
  const below = allowing("*.example.com");
  const url = new URL("https://hooks.example.com/x");

  test.each(reaches.public)("may stand for %s, whoever allows it", (address) => {
    expect(named.addressProblem(url, address)).toBeNull();
    expect(below.addressProblem(url, address)).toBeNull();
  });

  test.each(reaches.private)("may stand for %s if it is named itself", (address) => {
    expect(named.addressProblem(url, address)).toBeNull();
    expect(below.addressProblem(url, address)).toMatch(/private address/);
  });

  test.each(reaches.special)("may never stand for %j", (address) => {
    expect(named.addressProblem(url, address)).toMatch(/no name may stand for/);
    expect(below.addressProblem(url, address)).toMatch(/no name may stand for/);
  });

  test("is no way around the list for an address that stands on it", () => {
    expect(kept(named, "http://169.254.169.254/x")).not.toBeNull();
    expect(named.addressProblem(url, "169.254.169.254")).not.toBeNull();
  });
});
