import { mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Child, freePort, listening, measuredCpu } from "./child.ts";
import type { Gateway } from "./gateways.ts";
import { chatWith } from "./subject.ts";

/** Some load half of a language's packages first. */
const startsWithinMs = 60_000;
const answersWithinMs = 10_000;

type Options = {
  readonly program: string;
  readonly folder: string;
  readonly targetPort: number;
  readonly models: readonly string[];
};

export type RunningGateway = {
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
};

/** Starts a gateway and resolves when it answers a chat; throws with its words if it does not. */
export async function startGateway(gateway: Gateway, options: Options): Promise<RunningGateway> {
  const { folder, models, program, targetPort } = options;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { args, env } = gateway.launch({ folder, port, targetPort, models });
  const child = new Child({ command: [program, ...args], cpus: measuredCpu, cwd: folder, env });
  try {
    await listening(child, port, startsWithinMs);
    const origin = `http://127.0.0.1:${port}`;
    await answering({ ...gateway, origin, targetPort }, models[0] ?? "");
    return { origin, pid: child.pid, stop: () => child.stop() };
  } catch (cause) {
    await child.stop();
    throw cause;
  }
}

async function answering(subject: Parameters<typeof chatWith>[0], model: string): Promise<void> {
  const deadline = performance.now() + answersWithinMs;
  const { body, headers, path } = chatWith(subject, { model });
  for (;;) {
    const answer = await fetch(`${subject.origin}${path}`, { method: "POST", body, headers });
    const text = await answer.text();
    if (answer.status === 200) return;
    if (performance.now() > deadline) {
      throw new Error(`it answers ${answer.status} ${text.slice(0, 80)}`);
    }
    await delay(250);
  }
}
