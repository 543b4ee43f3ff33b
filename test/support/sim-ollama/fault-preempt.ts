import { STATUS_CODES } from "node:http";
import type { Exchange } from "./exchange.ts";
import { isWireFault } from "./fault.ts";
import type { SimCore } from "./sim-core.ts";

/**
 * Lets the faults strike that come before a handler, and prepares those that come later.
 * True: the request was dealt with. `atHead`: the body has not been read yet.
 */
export async function preempt(sim: SimCore, exchange: Exchange, atHead: boolean): Promise<boolean> {
  const { route, request, reply } = exchange;
  const method = request.method ?? "";
  const strike = sim.faults.strike({ route, method, model: exchange.model, atHead });
  if (strike === null) return false;
  const { fault } = strike;
  exchange.strike = strike;
  sim.journal.record({ kind: "fault", requestId: exchange.id, route, reason: fault.kind });
  if (isWireFault(fault)) {
    reply.breakWire(fault);
    return false;
  }
  switch (fault.kind) {
    case "reset":
    case "close":
      reply.cut(fault.kind);
      return true;
    case "stall":
      await Promise.race([strike.released, exchange.gone()]);
      return exchange.isGone;
    case "delay":
      await sim.pace.sleep(fault.ms, exchange);
      return exchange.isGone;
    case "answer": {
      const headers = fault.headers ?? [["Content-Type", "application/json; charset=utf-8"]];
      const words = fault.statusText ?? STATUS_CODES[fault.status] ?? "Unknown";
      reply.body(fault.status, fault.body ?? "", headers, words);
      return true;
    }
    case "raw": {
      const { socket } = request;
      exchange.whenGone(() => socket.destroy());
      socket.write(Buffer.from(fault.bytes, "latin1"), () => {
        if (fault.ending !== "hold") reply.cut(fault.ending);
      });
      return true;
    }
    default:
      return false;
  }
}
