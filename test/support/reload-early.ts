/**
 * Preloaded into a daemon (`node --import`): asks it for a reload when the first of its modules
 * after main.js is read, long before it has read its tokens.
 */
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  registerHooks({
    load(url, context, nextLoad) {
      if (url.endsWith("/src/daemon.ts")) process.kill(process.pid, "SIGHUP");
      return nextLoad(url, context);
    },
  });
}
