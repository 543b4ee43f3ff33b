import { createServer } from "node:net";
import type { Config } from "../../config.ts";
import { codeOf } from "../../errors.ts";
import { healthDocument } from "../../wire/probes.ts";
import { jsonOf } from "../json-of.ts";
import { printable } from "../output/printable.ts";
import type { Finding } from "./finding.ts";

const answerMsMax = 5_000;

const everywhere = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/** Who is at foreman's own address: nobody, a foreman and how it is, or another program. */
export async function checkPort({ listen }: Config): Promise<readonly Finding[]> {
  const { host, port } = listen;
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const fault = await listenFault(host, port);
  if (fault === null) {
    const remedy = "`foreman serve`, or `systemctl start foreman`, if it should run";
    const found = `${address} is free: no foreman runs there`;
    return [{ level: "warning", subject: "port", found, remedy }];
  }
  if (fault !== "EADDRINUSE") return [cannotListen(address, fault)];
  const near = everywhere.get(host) ?? host;
  return [await foremanFinding(`http://${near.includes(":") ? `[${near}]` : near}:${port}`)];
}

/** What says that nobody can listen there; null if this process could. */
async function listenFault(host: string, port: number): Promise<string | null> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", (cause) => resolve(codeOf(cause)));
    server.listen({ host, port }, () => server.close(() => resolve(null)));
  });
}

function cannotListen(address: string, fault: string): Finding {
  const remedy =
    fault === "EACCES"
      ? "ports below 1024 are root's: choose another in FOREMAN_ADDR"
      : "FOREMAN_ADDR must name an address of this machine";
  const found = `${address} cannot be listened at (${fault})`;
  return { level: "fault", subject: "port", found, remedy };
}

async function foremanFinding(url: string): Promise<Finding> {
  const subject = "foreman";
  try {
    const signal = AbortSignal.timeout(answerMsMax);
    const answer = await fetch(`${url}/healthz`, { signal, redirect: "manual" });
    const health = healthDocument.safeParse(jsonOf(await answer.text()));
    if (health.success) {
      const { degraded, problem, status, version } = health.data;
      const words = printable(problem ?? (degraded ? "the target is away or hangs" : status));
      const remedy = "`foreman status` tells more; docs/operations.md has what to do";
      const found = `${version} at ${url}: ${words}`;
      if (status === "failing") return { level: "fault", subject, found, remedy };
      return {
        level: degraded ? "warning" : "ok",
        subject,
        found,
        remedy: degraded ? remedy : null,
      };
    }
  } catch {
    // Whoever does not speak HTTP is no foreman either.
  }
  const remedy = "end it (`ss -ltnp` names it), or choose another port in FOREMAN_ADDR";
  return { level: "fault", subject, found: `another program has ${url}`, remedy };
}
