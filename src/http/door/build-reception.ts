import { hostname, networkInterfaces } from "node:os";
import type { Clients } from "../../access/clients.ts";
import type { Config } from "../../config.ts";
import { createAccess } from "./access.ts";
import { BodyBudget } from "./body-budget.ts";
import { originPolicy, ownOriginPolicy } from "./origin-policy.ts";
import { createReception, type Reception } from "./reception.ts";

/** The reception that the settings ask for, on this machine. */
export function buildReception(config: Config, clients: Clients): Reception {
  const { allowedHosts, bodiesBytesMax, listen, origins } = config;
  return createReception({
    budget: new BodyBudget(bodiesBytesMax),
    hosts: {
      boundAddress: listen.host,
      allowedHosts,
      hostname: hostname(),
      localAddresses: localAddresses(),
    },
    origins: { ollama: originPolicy({ origins }), own: ownOriginPolicy({ origins }) },
    access: createAccess(clients),
  });
}

/**
 * This machine's addresses; none where they are withheld, as foreman.service does, which has no
 * AF_NETLINK: then a public one is a Host only if FOREMAN_ALLOWED_HOSTS names it.
 */
export function localAddresses(interfaces: typeof networkInterfaces = networkInterfaces): string[] {
  try {
    return Object.values(interfaces()).flatMap((addresses = []) =>
      addresses.map(({ address }) => address),
    );
  } catch {
    return [];
  }
}
