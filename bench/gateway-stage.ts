import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, otherCpu } from "./child.ts";
import { type Measurable, streams } from "./gateway-measures.ts";
import { asOllama, type Gateway, gateways, programOf } from "./gateways.ts";
import { missingPeer, type PeerName, startPeer } from "./peer.ts";
import { startGateway } from "./start-gateway.ts";

const yardsticks: readonly PeerName[] = ["direct", "haproxy", "bare proxy", "foreman"];
const foremanEnv = { FOREMAN_CHAT_SLOTS: String(streams) };
const targetModels = ["bench-chat", "bench-embed"];

/** A subject that runs, with the way to end it. */
export type Running = Measurable & { stop(): Promise<void> };

/** A handler of a failure: whoever failed is missing from the row, for that reason. */
export function note(missing: string[], name: string) {
  return (cause: unknown) => {
    missing.push(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
  };
}

/** All subjects in front of one target; those that are not here, or do not answer, are named. */
export async function onFastTarget(missing: string[], act: (subjects: Running[]) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "foreman-bench-"));
  const script = join(import.meta.dirname, "fast-target.ts");
  const target = new Child({ command: [process.execPath, script], cpus: otherCpu });
  const subjects: Running[] = [];
  try {
    const targetPort = Number(await target.firstLine());
    const place = { targetPort, models: targetModels };
    for (const name of yardsticks) {
      const absence = missingPeer(name);
      if (absence !== null) missing.push(`${name}: ${absence}`);
      else subjects.push(await yardstick(name, targetPort, join(folder, name), foremanEnv));
    }
    for (const gateway of gateways) {
      const own = { ...place, folder: join(folder, gateway.name) };
      const subject = await started(gateway, own).catch(note(missing, gateway.name));
      if (subject !== undefined) subjects.push(subject);
    }
    await act(subjects);
  } finally {
    await Promise.all(subjects.map((subject) => subject.stop()));
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a peer of the other rows, and foreman with these settings. */
export async function yardstick(
  name: PeerName,
  targetPort: number,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const peer = await startPeer(name, { targetPort, folder, foremanEnv: env });
  return { ...asOllama, ...peer, targetPort };
}

type GatewayPlace = Omit<Parameters<typeof startGateway>[1], "program">;

/** Starts a gateway. Throws if it is not here, or answers no chat. */
export async function started(gateway: Gateway, place: GatewayPlace): Promise<Running> {
  const program = programOf(gateway);
  if (program === null) throw new Error(`not here (${gateway.variable} names its program)`);
  const running = await startGateway(gateway, { ...place, program });
  return { ...gateway, ...running, targetPort: place.targetPort };
}
