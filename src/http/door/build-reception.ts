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

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
}
