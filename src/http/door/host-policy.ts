import { BlockList, isIP } from "node:net";

export type HostPolicyOptions = {
  /** The address that foreman listens on, without port; null for a socket in the file system. */
  readonly boundAddress: string | null;
  /** FOREMAN_ALLOWED_HOSTS: names or addresses, `*.example.com` for the names below one. */
  readonly allowedHosts: readonly string[];
  /** The machine's own name. */
  readonly hostname: string;
  /** The addresses of the machine's interfaces. */
  readonly localAddresses: readonly string[];
};

/** `answer_options` is an empty 204: Ollama's answer to OPTIONS under an allowed name. */
export type HostDecision = "pass" | "refuse" | "answer_options";

const localDomains = [".localhost", ".local", ".internal"];
const loopback = blockList(["127.0.0.0", 8], ["::1", 128]);
const privateNets = blockList(
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["fc00::", 7],
);

/**
 * Whether a request with this Host header may come in, as Ollama decides it (against DNS
 * rebinding): any host unless bound to loopback; there only names and addresses of this machine and
 * of private networks. A list of allowed hosts adds to them, and has the check made on every
 * binding.
 * Source: Ollama server/routes.go (allowedHostsMiddleware); checked against
 * test/fixtures/hosts.jsonl.
 */
export function decideHost(
  method: string,
  hostHeader: string,
  options: HostPolicyOptions,
): HostDecision {
  if (!isChecked(options)) return "pass";
  const host = withoutPort(hostHeader);
  if (isOwnAddress(host, options.localAddresses)) return "pass";
  const name = host.toLowerCase();
  const isAllowed = isLocalName(name, options.hostname) || isListed(name, options.allowedHosts);
  if (!isAllowed) return "refuse";
  return method === "OPTIONS" ? "answer_options" : "pass";
}

function isChecked({ boundAddress, allowedHosts }: HostPolicyOptions): boolean {
  if (allowedHosts.length > 0 || boundAddress === null) return true;
  return isIn(loopback, boundAddress) || isIP(boundAddress) === 0;
}

/** Go's net.SplitHostPort: what it cannot split is taken whole. */
function withoutPort(header: string): string {
  const colon = header.lastIndexOf(":");
  if (colon < 0) return header;
  const isBracketed = header.startsWith("[");
  const host = isBracketed ? header.slice(1, header.indexOf("]")) : header.slice(0, colon);
  const isSplit = isBracketed ? header.indexOf("]") + 1 === colon : !host.includes(":");
  const hasStrayBracket =
    /[[\]]/.test(isBracketed ? host : header) || /[[\]]/.test(header.slice(colon));
  return isSplit && !hasStrayBracket ? host : header;
}

function isOwnAddress(host: string, localAddresses: readonly string[]): boolean {
  if (isIP(host) === 0) return false;
  if (host === "0.0.0.0" || isUnspecifiedV6(host)) return true;
  return isIn(loopback, host) || isIn(privateNets, host) || isOneOf(host, localAddresses);
}

function isUnspecifiedV6(host: string): boolean {
  return isIP(host) === 6 && !host.includes("%") && !host.includes(".") && /^[0:]+$/.test(host);
}

function isOneOf(host: string, addresses: readonly string[]): boolean {
  return addresses.some((address) => {
    if (isIP(address) === 0 || isIP(address) !== isIP(host)) return false;
    return isIn(blockList([address, isIP(address) === 6 ? 128 : 32]), host);
  });
}

/** A zone does not matter for the address's kind. */
function isIn(list: BlockList, address: string): boolean {
  const [bare = ""] = address.split("%");
  const version = isIP(bare);
  return version !== 0 && list.check(bare, version === 6 ? "ipv6" : "ipv4");
}

function isLocalName(name: string, hostname: string): boolean {
  if (name === "" || name === "localhost" || name === hostname.toLowerCase()) return true;
  return localDomains.some((domain) => name.endsWith(domain));
}

function isListed(name: string, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((entry) => {
    const allowed = entry.toLowerCase();
    return allowed.startsWith("*.") ? name.endsWith(allowed.slice(1)) : name === allowed;
  });
}

function blockList(...nets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");
  return list;
}
