import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Peer } from "./peer.ts";
import type { Table } from "./row.ts";
import { onScene } from "./scene.ts";

/** So many functions are told; the rest is long and thin. */
const functionsMax = 14;

/** V8's format, as `node --cpu-prof` writes it: what is used of it. */
type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  /** In µs of the machine's monotonic clock, which `process.hrtime` reads too. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/**
 * Plays `act` on a foreman of its own under V8's profiler, and tells the functions that the main
 * thread's time went into, idle time left out. BENCH_PROFILES names a folder to keep the profiles.
 */
export async function profiled(
  foremanEnv: Readonly<Record<string, string>>,
  act: (foreman: Peer) => Promise<void>,
): Promise<Table> {
  const kept = process.env.BENCH_PROFILES;
  const profileFolder = mkdtempSync(join(kept ?? tmpdir(), "foreman-profile-"));
  try {
    const window = await onScene(
      { peers: ["foreman"], foremanEnv, profileFolder },
      async (scene) => {
        const fromUs = nowUs();
        await act(scene.peer("foreman"));
        return { fromUs, toUs: nowUs() };
      },
    );
    return topOf(mainThread(profileFolder), window);
  } finally {
    if (kept === undefined) rmSync(profileFolder, { recursive: true, force: true });
  }
}

/** The load alone: what starting and stopping costs is no part of it. */
type Window = { readonly fromUs: number; readonly toUs: number };

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Each thread leaves a file of its own; thread 0 is the main one. */
function mainThread(folder: string): CpuProfile {
  const file = readdirSync(folder).find((name) => /\.0\.\d+\.cpuprofile$/.test(name));
  if (file === undefined) throw new Error("foreman left no CPU profile");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
}

function topOf(profile: CpuProfile, { fromUs, toUs }: Window): Table {
  const { nodes, samples, startTime, timeDeltas } = profile;
  const placeById = new Map(nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  let atUs = startTime;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    atUs += us;
    const place = placeById.get(id) ?? "?";
    if (place === "(idle)" || us < 0 || atUs < fromUs || atUs > toUs) continue;
    totalUs += us;
    selfUs.set(place, (selfUs.get(place) ?? 0) + us);
  }
  const top = [...selfUs].sort(([, a], [, b]) => b - a).slice(0, functionsMax);
  return {
    head: ["function", "self time"],
    rows: top.map(([place, us]) => [`\`${place}\``, `${((us / totalUs) * 100).toFixed(1)} %`]),
  };
}

function placeOf({ functionName, lineNumber, url }: CpuProfile["nodes"][number]["callFrame"]) {
  if (url === "") return functionName || "(anonymous)";
  const [, ours] = /\/(src\/.+)$/.exec(url) ?? [];
  const [, library] = /\/node_modules\/(.+)$/.exec(url) ?? [];
  const file = ours ?? library ?? (url.startsWith("node:") ? url : basename(url));
  return `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
}
