import { execFile } from "node:child_process";
import type { Clock } from "./clock.ts";

export type Gpu = "present" | "absent" | "unknown";

/** A driver that hangs makes nvidia-smi hang: then the answer is not known. */
const probeMsMax = 5_000;

/** The first who asks waits so long for it; what it says later serves the next. */
const answerMsMax = 1_000;

/** A GPU comes or falls off the bus rarely, and the probe costs a process. */
const freshMs = 300_000;

type GpuProbeOptions = {
  readonly clock: Clock;
  /** Whether the target is on this machine, whose GPU alone can be looked for. */
  readonly isTargetHere: boolean;
  /** GPU memory that the target says its loaded models have, in bytes. */
  readonly usedVramBytes: () => number;
  /** For tests. */
  readonly command?: string;
};

/** Tells whether the target has a GPU, from its own word or from NVIDIA's tool. */
export class GpuProbe {
  readonly #options: GpuProbeOptions;
  #known: { readonly gpu: Gpu; readonly atMs: number } | null = null;
  #probing: Promise<Gpu> | null = null;

  constructor(options: GpuProbeOptions) {
    this.#options = options;
  }

  /**
   * 1. A model in GPU memory proves a GPU. 2. Of another machine nothing more can be said. 3. Else
   * nvidia-smi is asked, once in five minutes; whoever asks later gets what it said then. Without
   * it the GPU may be of another make: `unknown`. Never rejects; takes a second at most,
   * after which it is `unknown` until the tool has answered.
   */
  async read(): Promise<Gpu> {
    const { clock, isTargetHere, usedVramBytes } = this.#options;
    // 1.
    if (usedVramBytes() > 0) return "present";
    // 2.
    if (!isTargetHere) return "unknown";
    // 3.
    const isFresh = this.#known !== null && clock.monotonicMs() - this.#known.atMs < freshMs;
    if (!isFresh) this.#probing ??= this.#probe();
    if (this.#known !== null) return this.#known.gpu;
    const late = clock.sleep(answerMsMax).then((): Gpu => "unknown");
    return await Promise.race([this.#probing ?? late, late]);
  }

  async #probe(): Promise<Gpu> {
    const gpu = await listGpus(this.#options.command ?? "nvidia-smi");
    this.#known = { gpu, atMs: this.#options.clock.monotonicMs() };
    this.#probing = null;
    return gpu;
  }
}

/** `nvidia-smi -L` prints a line for each GPU, and ends with 6 if it found none. */
function listGpus(command: string): Promise<Gpu> {
  const options = { timeout: probeMsMax, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(command, ["-L"], options, (error, stdout) => {
      if (error === null) resolve(/^GPU \d/m.test(stdout) ? "present" : "absent");
      else resolve(error.code === 6 ? "absent" : "unknown");
    });
  });
}
