import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { codeOf } from "../../errors.ts";

/** What Ollama's process was started with, or why that cannot be told. */
export type TargetEnviron =
  | {
      readonly kind: "read";
      readonly pid: number;
      readonly env: ReadonlyMap<string, string>;
    }
  /** `why` is half a sentence for a person. */
  | { readonly kind: "unknown"; readonly why: string };

/** Of `/proc/net/tcp`: local address, state and inode; 0A is LISTEN (Linux, proc(5)). */
const listening = /^\s*\d+: [\dA-F]+:([\dA-F]{4}) \S+ 0A (?:\S+\s+){5}(\d+)/;

/**
 * The environment of the process that listens at the target's port on this machine, as the kernel
 * shows it to the process's own user and to root. What the process set itself later is not in it.
 *
 * @param proc where procfs is
 */
export function readTargetEnviron(
  { isTargetHere, targetOrigin }: { readonly isTargetHere: boolean; readonly targetOrigin: string },
  proc = "/proc",
): TargetEnviron {
  if (!isTargetHere) return { kind: "unknown", why: "Ollama runs on another machine" };
  const { port, protocol } = new URL(targetOrigin);
  const portNumber = Number(port || (protocol === "https:" ? 443 : 80));
  const inodes = listenersAt(portNumber, proc);
  if (inodes.size === 0) return { kind: "unknown", why: `nobody listens at port ${portNumber}` };
  const pid = ownerOf(inodes, proc);
  if (pid === null)
    return { kind: "unknown", why: `the process at port ${portNumber} is another user's` };
  try {
    const pairs = readFileSync(`${proc}/${pid}/environ`, "utf8").split("\0").map(pairOf);
    const name = readFileSync(`${proc}/${pid}/comm`, "utf8").trim();
    const isOllama = /ollama/i.test(name) || pairs.some(([key]) => key.startsWith("OLLAMA_"));
    if (isOllama) return { kind: "read", pid, env: new Map(pairs) };
    // A proxy before it, such as Docker's: what it was not given says nothing of Ollama.
    return { kind: "unknown", why: `process ${pid} at port ${portNumber} is ${name}, not Ollama` };
  } catch (cause) {
    const why = cause instanceof Error ? codeOf(cause) : String(cause);
    return { kind: "unknown", why: `the environment of process ${pid} cannot be read (${why})` };
  }
}

function pairOf(text: string): [string, string] {
  const end = text.indexOf("=");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)];
}

/** The sockets that listen there; none where there is no procfs. */
function listenersAt(port: number, proc: string): ReadonlySet<string> {
  const lines = ["tcp", "tcp6"].flatMap((table) => {
    try {
      return readFileSync(`${proc}/net/${table}`, "utf8").split("\n");
    } catch {
      return [];
    }
  });
  const found = lines.map((line) => listening.exec(line));
  return new Set(
    found.flatMap((match) =>
      match !== null && Number.parseInt(match[1] ?? "", 16) === port
        ? [`socket:[${match[2]}]`]
        : [],
    ),
  );
}

/** The process that has such a socket; null if none that may be looked into has. */
function ownerOf(sockets: ReadonlySet<string>, proc: string): number | null {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  const has = (pid: string) => {
    try {
      const folder = `${proc}/${pid}/fd`;
      return readdirSync(folder).some((fd) => sockets.has(readlinkSync(`${folder}/${fd}`)));
    } catch {
      // Another user's, or gone meanwhile.
      return false;
    }
  };
  const pid = pids.find(has);
  return pid === undefined ? null : Number(pid);
}
