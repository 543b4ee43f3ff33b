import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Child, freePort, isInstalled, listening, measuredCpu } from "./child.ts";
import { haproxyConfig, nginxConfig } from "./peer-configs.ts";

export type PeerName =
  | "direct"
  | "nginx"
  | "nginx, 2 workers, 2 cores"
  | "haproxy"
  | "bare proxy"
  | "foreman";

/** Something that a client can ask, with the target behind it. */
export type Peer = {
  readonly name: PeerName;
  readonly origin: string;
  /** The process that is measured; null for the target itself. */
  readonly pid: number | null;
  stop(): Promise<void>;
};

export type PeerOptions = {
  readonly targetPort: number;
  /** A folder of this peer's own. */
  readonly folder: string;
  readonly foremanEnv?: Readonly<Record<string, string>>;
  /** For foreman: not bound to a core, where the work of its several threads is what is measured. */
  readonly isForemanFree?: boolean;
  /** For foreman: where to leave a CPU profile. */
  readonly profileFolder?: string;
};

/** How `npm start` and the service start it. */
export const foremanProgram: readonly string[] = [
  process.execPath,
  "--max-semi-space-size=16",
  join(import.meta.dirname, "../src/main.js"),
];

/** What to say of a peer that this machine does not have; null if it has it. */
export function missingPeer(name: PeerName): string | null {
  const program = /^(nginx|haproxy)/.exec(name)?.[1];
  if (program === undefined || isInstalled(program)) return null;
  return "not installed (apt-get install nginx-light haproxy wrk)";
}

/** Starts a peer and resolves when it answers. */
export async function startPeer(name: PeerName, options: PeerOptions): Promise<Peer> {
  const { folder, targetPort } = options;
  mkdirSync(folder, { recursive: true });
  if (name === "direct") {
    const origin = `http://127.0.0.1:${targetPort}`;
    return { name, origin, pid: null, stop: async () => {} };
  }
  const port = await freePort();
  const isFree = name === "foreman" && options.isForemanFree === true;
  const cpus = name === "nginx, 2 workers, 2 cores" || isFree ? null : measuredCpu;
  const child = new Child({
    command: commandOf(name, options, port),
    cpus,
    env: name === "foreman" ? foremanEnv(options, port) : {},
  });
  await listening(child, port).catch((cause) => {
    throw new Error(`${name}: ${child.lastLine}`, { cause });
  });
  const origin = `http://127.0.0.1:${port}`;
  if (name === "foreman") await foremanReady(origin);
  return { name, origin, pid: child.pid, stop: () => child.stop() };
}

function commandOf(
  name: Exclude<PeerName, "direct">,
  { folder, profileFolder, targetPort }: PeerOptions,
  port: number,
): string[] {
  const file = join(folder, "config");
  switch (name) {
    case "nginx":
    case "nginx, 2 workers, 2 cores": {
      const workers = name === "nginx" ? 1 : 2;
      writeFileSync(file, nginxConfig({ port, targetPort }, { folder, workers }));
      return ["nginx", "-p", folder, "-c", file, "-e", join(folder, "nginx-error.log")];
    }
    case "haproxy":
      writeFileSync(file, haproxyConfig({ port, targetPort }));
      return ["haproxy", "-db", "-f", file];
    case "bare proxy": {
      const script = join(import.meta.dirname, "bare-proxy.ts");
      return [process.execPath, script, `http://127.0.0.1:${targetPort}`, String(port)];
    }
    case "foreman": {
      const profiling =
        profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
      return [...foremanProgram.slice(0, -1), ...profiling, ...foremanProgram.slice(-1)];
    }
  }
}

function foremanEnv(
  { folder, foremanEnv = {}, targetPort }: PeerOptions,
  port: number,
): Record<string, string> {
  return {
    FOREMAN_ADDR: `127.0.0.1:${port}`,
    FOREMAN_OLLAMA_URL: `http://127.0.0.1:${targetPort}`,
    FOREMAN_DB: join(folder, "foreman.db"),
    ...foremanEnv,
  };
}

/** Until the inventory was read once, foreman has nothing to answer with. */
async function foremanReady(origin: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const response = await fetch(`${origin}/api/tags`);
    await response.arrayBuffer();
    if (response.status === 200) return;
    await delay(50);
  }
  throw new Error("foreman does not read its target's inventory");
}
