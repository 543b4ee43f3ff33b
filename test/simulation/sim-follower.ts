// Who follows a job by its events, over every death of the daemon, as an EventSource does.
import type { JobId } from "../../src/job.ts";
import { againMs, bearer, type ClientDeps } from "./as-client.ts";

type FollowerDeps = ClientDeps & {
  /** For people. */
  readonly name: string;
  readonly client: number;
};

const frame = /^id: (\d+)\nevent: state\ndata: (.*)$/;

/** Resolves with the states that it was told, in order, when it was told of the end. */
export async function follow(id: JobId, deps: FollowerDeps): Promise<readonly string[]> {
  const { client, clock, life: current, name, referee } = deps;
  const states: string[] = [];
  for (;;) {
    const life = current();
    if (life?.isServing) {
      const last: Record<string, string> =
        states.length === 0 ? {} : { "Last-Event-ID": String(states.length) };
      const headers = { ...bearer(client), ...last };
      const exchange = life.ask({ path: `/jobs/${id}/events`, headers });
      await Promise.race([exchange.over.promise, life.over.promise]);
      if (exchange.statusCode === 404) referee.violated(`I1 ${name} was acknowledged, and is lost`);
      // Told already that there is no more.
      if (exchange.statusCode === 204) return states;
      for (const text of exchange.text.split("\n\n")) {
        const [, number, data = "{}"] = frame.exec(text) ?? [];
        if (number === undefined) continue;
        const isNext = Number(number) === states.length + 1;
        if (!isNext) referee.violated(`E1 ${name}: event ${number} came after ${states.length}`);
        states.push(String((JSON.parse(data) as { state: unknown }).state));
      }
      if (["done", "failed", "cancelled"].includes(states.at(-1) ?? "")) return states;
    }
    await clock.sleep(againMs);
  }
}
