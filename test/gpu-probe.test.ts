/** The probe against commands that behave as NVIDIA's tool does in each state of a machine. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { GpuProbe } from "../src/gpu-probe.ts";
import { ManualClock } from "./support/manual-clock.ts";

async function probeOf(script: string, more: { isTargetHere?: boolean; vram?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "foreman-gpu-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const command = join(folder, "nvidia-smi");
  await writeFile(command, `#!/bin/sh\necho asked >> ${folder}/asked\n${script}\n`);
  await chmod(command, 0o700);
  const clock = new ManualClock();
  const { isTargetHere = true, vram = 0 } = more;
  const probe = new GpuProbe({ clock, isTargetHere, usedVramBytes: () => vram, command });
  const asked = async () =>
    (await readFile(`${folder}/asked`, "utf8").catch(() => "")).split("\n").length - 1;
  return { probe, clock, asked, folder };
}

const oneGpu = 'echo "GPU 0: NVIDIA A100 (UUID: GPU-1)"';

test("tells a GPU that the tool lists, that it lists none, and that it failed", async () => {
  const read = async (script: string) => (await probeOf(script)).probe.read();

  expect(await read(oneGpu)).toBe("present");
  expect(await read('echo "No devices were found"; exit 6')).toBe("absent");
  expect(await read('echo "driver/library version mismatch" >&2; exit 18')).toBe("unknown");
});

test("does not know of a machine without the tool, nor of another machine", async () => {
  const clock = new ManualClock();
  const without = new GpuProbe({
    ...{ clock, isTargetHere: true, usedVramBytes: () => 0 },
    command: "/nowhere/nvidia-smi",
  });
  const elsewhere = await probeOf(oneGpu, { isTargetHere: false });

  expect(await without.read()).toBe("unknown");
  expect(await elsewhere.probe.read()).toBe("unknown");
  expect(await elsewhere.asked()).toBe(0);
});

test("believes the target that has a model in GPU memory, and asks no tool", async () => {
  const { asked, probe } = await probeOf("exit 18", { isTargetHere: false, vram: 1 });

  expect(await probe.read()).toBe("present");
  expect(await asked()).toBe(0);
});

test("asks the tool once for many who ask, and again after five minutes", async () => {
  const { asked, clock, probe } = await probeOf(oneGpu);

  await Promise.all([probe.read(), probe.read(), probe.read()]);
  await probe.read();
  expect(await asked()).toBe(1);

  await clock.advance(300_000);
  expect(await probe.read()).toBe("present");
  await probe.read();
  await expect.poll(asked).toBe(2);
});

test("answers in a second though the tool hangs, and with what it says once it has", async () => {
  const { asked, clock, folder, probe } = await probeOf(
    `while [ ! -e "$(dirname "$0")/go" ]; do sleep 0.01; done; ${oneGpu}`,
  );
  const first = probe.read();
  await clock.advance(1_000);

  expect(await first).toBe("unknown");
  await expect.poll(asked).toBe(1);
  await writeFile(join(folder, "go"), "");
  await expect.poll(() => probe.read()).toBe("present");
  expect(await asked()).toBe(1);
});
