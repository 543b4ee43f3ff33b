import ipaddr from "ipaddr.js";

/**
 * `public`: anybody's machine. `private`: a machine of this network, or this one. `special`:
 * whatever else there is, such as link-local addresses, multicast, and translated or tunnelled
 * ones, behind which any of the others may stand.
 */
export type AddressReach = "public" | "private" | "special";

const privateRanges = ["private", "loopback", "uniqueLocal", "carrierGradeNat"];

/**
 * Where clouds answer whoever asks with credentials, outside the link-local range that most use:
 * Azure, Alibaba, AWS over IPv6.
 */
const metadataAddresses = ["168.63.129.16", "100.100.100.200", "fd00:ec2::254"];

/** What kind of address that is, by the registries of IANA; IPv4 inside IPv6 is seen as IPv4. */
export function addressReach(address: string): AddressReach {
  if (!ipaddr.isValid(address)) return "special";
  const parsed = ipaddr.process(address);
  if (metadataAddresses.includes(parsed.toString())) return "special";
  const range = parsed.range();
  if (range === "unicast") return "public";
  return privateRanges.includes(range) ? "private" : "special";
}
