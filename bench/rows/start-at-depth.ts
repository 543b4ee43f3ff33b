import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { deepJobs, onBacklog } from "../backlog.ts";
import { Child, freePort } from "../child.ts";
import { foremanProgram } from "../peer.ts";
import type { Bench, Row, RowResult } from "../row.ts";
import { onScene, type Scene } from "../scene.ts";
import { median, plain, withSpread } from "../statistics.ts";

const listeningMsMax = 1_000;

/** A batch job of the backlog, from its start to its end. */
const pace = { lines: 5, everyMs: 20 };

type Start = {
  readonly listeningMs: number;
  readonly readyMs: number;
  /** Until the target has the first job; null where none waits. */
  readonly firstJobMs: number | null;
};

type Place = {
  readonly name: string;
  readonly file: string;
  readonly hasJobs: boolean;
  /** Where Node keeps compiled code from one start to the next; null: nowhere, as by default. */
  readonly compiled: string | null;
};

export const startAtDepth: Row = {
  number: 10,
  what: "start with 1,000,000 queued, after kill -9",
  yardstick: "start with none, in the same run",
  bar: `listening ≤ ${plain(listeningMsMax, 0)} ms`,
  run: (bench) =>
    onBacklog(0, (empty) =>
      onBacklog(deepJobs(bench), (full) =>
        onScene({ peers: ["direct"], pace }, (scene) => measure({ empty, full }, scene, bench)),
      ),
    ),
};

async function measure(
  files: { readonly empty: string; readonly full: string },
  scene: Scene,
  bench: Bench,
): Promise<RowResult> {
  const many = plain(deepJobs(bench), 0);
  const full = { file: files.full, hasJobs: true };
  const places: readonly Place[] = [
    { name: "none", file: files.empty, hasJobs: false, compiled: null },
    { ...full, name: many, compiled: null },
    { ...full, name: `${many}, with NODE_COMPILE_CACHE`, compiled: join(scene.folder, "compiled") },
  ];
  const starts = new Map<string, Start[]>(places.map(({ name }) => [name, []]));
  // A first life of each: one that ends in order leaves compiled code, the next a dead daemon's files.
  for (const place of places) await live(place, scene, "SIGTERM");
  for (const place of places) await live(place, scene);
  for (let round = 0; round < (bench.isQuick ? 2 : 6); round += 1) {
    for (const place of places) starts.get(place.name)?.push(await live(place, scene));
  }
  return result(starts);
}

/** One life, from the start of its process to its end, amid a job if there are any. */
async function live(
  { compiled, file, hasJobs }: Place,
  scene: Scene,
  end: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<Start> {
  const port = await freePort();
  await scene.journal();
  const startedAtMs = performance.now();
  const child = new Child({
    command: foremanProgram,
    // Not bound to a core: a start is the work of several threads.
    cpus: null,
    env: {
      FOREMAN_ADDR: `127.0.0.1:${port}`,
      FOREMAN_OLLAMA_URL: scene.peer("direct").origin,
      FOREMAN_DB: file,
      ...(compiled !== null && { NODE_COMPILE_CACHE: compiled }),
    },
  });
  const since = () => performance.now() - startedAtMs;
  try {
    await until(child, () => connects(port));
    const listeningMs = since();
    await until(child, async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    const readyMs = since();
    if (!hasJobs) return { listeningMs, readyMs, firstJobMs: null };
    await until(child, async () => (await scene.journal()).length > 0);
    return { listeningMs, readyMs, firstJobMs: since() };
  } finally {
    if (end === "SIGTERM") await child.stop();
    else await child.kill();
  }
}

async function until(child: Child, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    if (child.isOver) throw new Error(`foreman ended: ${child.lastLine}`);
    await delay(4);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function result(starts: ReadonlyMap<string, readonly Start[]>): RowResult {
  const medians = [...starts.values()].map((all) => median(all.map((one) => one.listeningMs)));
  const [none = Number.NaN, many = Number.NaN] = medians;
  return {
    measured: `${plain(many, 0)} ms; ${plain(none, 0)} ms with none queued`,
    verdict: many <= listeningMsMax ? "met" : "missed",
    missing: [],
    table: {
      head: ["queued", "listening ms", "ready ms", "first job at the target ms"],
      rows: [...starts].map(([name, all]) => [
        name,
        withSpread(
          all.map((one) => one.listeningMs),
          0,
        ),
        withSpread(
          all.map((one) => one.readyMs),
          0,
        ),
        withSpread(
          all.flatMap(({ firstJobMs }) => (firstJobMs === null ? [] : [firstJobMs])),
          0,
        ),
      ]),
    },
    method:
      "From the start of the process, Node's own start and the reading of all modules included, " +
      "to the first connection that is taken, to the first /readyz with 200, and to the first " +
      "generation at the target. Each start finds what a kill -9 amid a job left behind. Unlike " +
      "elsewhere foreman is not bound to a core. The last line is what the operator can have by " +
      "naming a folder in which Node keeps compiled code; judged is the line before.",
  };
}
