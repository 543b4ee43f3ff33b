import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const run = (command: string, ...options: string[]) =>
  execFileSync(command, options, { stdio: "ignore" });

/** A file system of so many MiB, gone when the test ends; null where none may be mounted. */
export function mountSmallDisk(sizeMib: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), "foreman-disk-"));
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", folder);
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    // Lazily: a store that a failed expectation left open must not leave the mount behind.
    run("umount", "-l", folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Takes so many MiB of that disk away, or all; answers what gives them back. */
export function takeRoom(folder: string, mib: number | "all"): () => void {
  const ballast = join(folder, "ballast");
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(mib === "all" ? bavail * bsize : mib * 2 ** 20));
  return () => rmSync(ballast);
}
