import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Destinations } from "./destinations.ts";

/** All addresses that a name stands for, as the system resolves it. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * The lookup of one connection to `url`: it goes to the very addresses that were checked, and no
 * second answer of a name server can take their place. One that may not be called spoils them all:
 * a name that stands for a public and a private address is no slip of its owner's.
 */
export function pinnedLookup(
  url: URL,
  { destinations, resolve }: { destinations: Destinations; resolve: Resolve },
): LookupFunction {
  const checked = async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = await resolve(hostname);
    for (const { address } of addresses) {
      const problem = destinations.addressProblem(url, address);
      if (problem !== null) throw new Error(problem);
    }
    return [...addresses];
  };
  return (hostname, options, callback) => {
    const found = (addresses: LookupAddress[]) => {
      const [first] = addresses;
      if (first === undefined) callback(new Error(`${hostname} has no address`), "");
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    };
    checked(hostname).then(found, (cause: Error) => callback(cause, ""));
  };
}
