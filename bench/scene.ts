import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, otherCpu } from "./child.ts";
import type { Span } from "./generation.ts";
import { missingPeer, type Peer, type PeerName, type PeerOptions, startPeer } from "./peer.ts";

type SceneOptions = Pick<PeerOptions, "foremanEnv" | "isForemanFree" | "profileFolder"> & {
  readonly peers: readonly PeerName[];
  /** How the target answers who orders nothing else: see `fast-target.ts`. */
  readonly pace?: { readonly lines: number; readonly everyMs: number };
};

/** A target and the peers in front of it, all running. */
export type Scene = {
  /** Those that this machine has, in the order asked for. */
  readonly peers: readonly Peer[];
  readonly missing: readonly string[];
  /** Where foreman's database is, among other things; gone when the scene is over. */
  readonly folder: string;
  peer(name: PeerName): Peer;
  /** The generations since the last question, by the target's clock, in order of start. */
  journal(): Promise<Span[]>;
  /** Lets held generations go on. */
  release(): Promise<void>;
};

/** Plays `act` on a scene of its own, and clears it away. */
export async function onScene<Result>(
  options: SceneOptions,
  act: (scene: Scene) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "foreman-bench-"));
  const { everyMs, lines } = options.pace ?? { lines: 5, everyMs: 0 };
  const script = join(import.meta.dirname, "fast-target.ts");
  const target = new Child({
    command: [process.execPath, script, `--lines=${lines}`, `--every-ms=${everyMs}`],
    cpus: otherCpu,
  });
  const running: Peer[] = [];
  try {
    const targetPort = Number(await target.firstLine());
    const missing: string[] = [];
    for (const [index, name] of options.peers.entries()) {
      const absence = missingPeer(name);
      if (absence !== null) missing.push(`${name}: ${absence}`);
      else {
        const own = { ...options, targetPort, folder: join(folder, String(index)) };
        running.push(await startPeer(name, own));
      }
    }
    return await act(sceneOf({ running, missing, folder, targetPort }));
  } finally {
    await Promise.all(running.map((peer) => peer.stop()));
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sceneOf(parts: {
  readonly running: readonly Peer[];
  readonly missing: readonly string[];
  readonly folder: string;
  readonly targetPort: number;
}): Scene {
  const { folder, missing, running, targetPort } = parts;
  const target = `http://127.0.0.1:${targetPort}`;
  return {
    peers: running,
    missing,
    folder,
    peer(name) {
      const found = running.find((peer) => peer.name === name);
      if (found === undefined) throw new Error(`${name} is not on this scene`);
      return found;
    },
    async journal() {
      const response = await fetch(`${target}/bench/journal`);
      return (await response.json()) as Span[];
    },
    async release() {
      await (await fetch(`${target}/bench/release`)).arrayBuffer();
    },
  };
}
