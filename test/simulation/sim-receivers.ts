// Whoever is told of jobs: receivers of webhooks, which take what comes, refuse it, keep silent or
// are away by the plan. They keep what they were sent, and what they said to it.
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { Connect } from "../../src/webhook/post.ts";
import type { ManualClock } from "../support/manual-clock.ts";
import type { HookSpellPlan } from "./plan.ts";
import { Wire } from "./sim-wire.ts";

/** The names of the receivers. */
export const receivers = ["hook-0.test", "hook-1.test"] as const;

/** One message that came. */
export type Told = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atWallMs: number;
  readonly life: number;
  /** Null: nothing was said to it. */
  readonly statusCode: number | null;
};

type ReceiverHooks = {
  readonly clock: ManualClock;
  readonly note: (what: string) => void;
};

export class SimReceivers {
  /** In the order of their arrival. */
  readonly told: Told[] = [];
  readonly #hooks: ReceiverHooks;
  readonly #spells = new Set<HookSpellPlan>();
  readonly #lives = new Map<number, Set<Wire>>();

  constructor(hooks: ReceiverHooks) {
    this.#hooks = hooks;
  }

  begin(spell: HookSpellPlan): void {
    this.#spells.add(spell);
  }

  end(spell: HookSpellPlan): void {
    this.#spells.delete(spell);
  }

  /** The way of one life of the daemon to them. */
  connectorOf(life: number): Connect {
    const wires = new Set<Wire>();
    this.#lives.set(life, wires);
    const server = this.#server(life);
    const connect = (hostname: string): Wire | null => {
      if (this.#kindOf(hostname) === "away") return null;
      const [near, far] = Wire.pair();
      wires.add(near);
      server.emit("connection", far);
      return near;
    };
    return ({ hostname }, connected) => {
      // As a network does, after the question.
      process.nextTick(() => {
        const wire = connect(hostname);
        if (wire === null) connected(new Error(`connect ECONNREFUSED ${hostname}`), null);
        else connected(null, wire as never);
      });
    };
  }

  /** What that life had under way is cut. */
  noteDeath(life: number): void {
    for (const wire of this.#lives.get(life) ?? []) wire.destroy();
    this.#lives.delete(life);
  }

  #server(life: number) {
    return createServer(async (request, answer) => {
      const { host: hostname = "" } = request.headers;
      const body = await bodyOf(request);
      if (body === null) return;
      const kind = this.#kindOf(hostname);
      const statusCode = kind === null ? 204 : kind === "failing" ? 500 : null;
      const { headers } = request;
      const atWallMs = this.#hooks.clock.wallMs();
      this.told.push({ headers, body, atWallMs, life, statusCode });
      this.#hooks.note(`${hostname}: is told, says ${statusCode ?? kind}`);
      if (statusCode !== null) answer.writeHead(statusCode).end();
      else if (kind === "busy") answer.writeHead(503, { "Retry-After": "20" }).end();
    });
  }

  #kindOf(hostname: string): HookSpellPlan["kind"] | null {
    for (const { kind, receiver } of this.#spells)
      if (receivers[receiver] === hostname) return kind;
    return null;
  }
}

/** Null: it broke off. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  let body = "";
  request.setEncoding("utf8");
  try {
    for await (const text of request) body += String(text);
    return body;
  } catch {
    return null;
  }
}
