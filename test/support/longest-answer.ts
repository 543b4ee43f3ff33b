import { Worker } from "node:worker_threads";

/**
 * Asks `url` over and over from a thread of its own, so that what keeps this one busy is not counted;
 * `stop` answers the longest time that an answer took, in ms.
 */
export function longestAnswer(url: string): { stop(): Promise<number> } {
  const worker = new Worker(asking, { eval: true, workerData: url });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.once("message", (longestMs: number) => {
          resolve(longestMs);
          void worker.terminate();
        });
        worker.once("error", reject);
        worker.postMessage("stop");
      }),
  };
}

const asking = `
  const { parentPort, workerData } = require("node:worker_threads");
  let longestMs = 0;
  let isStopped = false;
  parentPort.once("message", () => { isStopped = true; });
  (async () => {
    while (!isStopped) {
      const sentMs = performance.now();
      await (await fetch(workerData)).text();
      longestMs = Math.max(longestMs, performance.now() - sentMs);
      await new Promise((go) => setTimeout(go, 2));
    }
    parentPort.postMessage(longestMs);
  })();
`;
