import { readFileSync, writeFileSync } from "node:fs";

/** Ticks of /proc/PID/stat in a second (USER_HZ): 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

const kilobyte = 1024;

/** CPU time that a process spent so far with all its threads, user and system, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is a name in brackets, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Has the most that a process held counted anew (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** What a process holds of memory now, and the most since its start or `forgetPeak`, in bytes. */
export function memoryOf(pid: number): { readonly nowBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * kilobyte;
  return { nowBytes: field("VmRSS"), peakBytes: field("VmHWM") };
}
