import type { Health } from "../http/health-routes.ts";

/** How foreman fares, for `systemctl status`: "12 wait, 1 runs; target away: connect refused". */
export function statusLine({ phase, queue, runningCount, store, target }: Health): string {
  if (phase === "draining") return `draining: ${runningCount} still run`;
  const away = target.presence === "present" ? "" : `; target ${target.presence}`;
  const problem = store.problem === null ? "" : `; ${store.problem}`;
  const closed = queue.closing === null ? "" : `; drained since ${queue.closing.since}`;
  return `${queue.depth} wait, ${runningCount} run${closed}${away}${problem}`;
}
