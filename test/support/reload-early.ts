/**
 * Preloaded into a daemon (`node --import`): asks it for a reload every few milliseconds, from
 * before its first module on.
 */
import { isMainThread } from "node:worker_threads";

if (isMainThread) setInterval(() => process.kill(process.pid, "SIGHUP"), 5).unref();
