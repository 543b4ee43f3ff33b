import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { canPin, isInstalled } from "./child.ts";

/** Facts about where and with what a run was made: name and value, in order. */
export function describeMachine(): readonly (readonly [string, string])[] {
  const [first] = cpus();
  const gigabytes = (totalmem() / 1e9).toFixed(1);
  return [
    ["date", `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`],
    ["machine", `${cpus().length} × ${first?.model ?? "unknown processor"}, ${gigabytes} GB`],
    ["kernel", release()],
    ["load average at the start", describeLoad()],
    ["foreman", commit()],
    ["node", process.version],
    ["nginx", versionOf("nginx", ["-v"], /nginx\/(\S+)/)],
    ["haproxy", versionOf("haproxy", ["-v"], /version (\S+)/)],
    ["wrk", versionOf("wrk", ["-v"], /wrk (\S+)/)],
    ["cores", canPin ? "pinned, see below" : "not pinned: taskset or a second core is missing"],
  ];
}

/** Processes that ran or wanted to, over 1, 5 and 15 minutes. */
export function describeLoad(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(" ");
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: join(import.meta.dirname, ".."), encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "src");
    const head = git("rev-parse", "--short", "HEAD");
    return changed === "" ? head : `${head}, with changes in src/`;
  } catch {
    return "not in a git repository";
  }
}

/** Each tells its version on an output of its own choice, and wrk with an exit code. */
function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  if (!isInstalled(program)) return "not installed";
  const output = execFileSync("sh", ["-c", `${program} ${args.join(" ")} 2>&1 || true`], {
    encoding: "utf8",
  });
  return pattern.exec(output)?.[1] ?? "unknown";
}
