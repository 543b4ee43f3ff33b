import { fileURLToPath } from "node:url";

/**
 * Where daemons under test, and threads of the tests' own processes, keep their compiled modules: a
 * start takes half the time with them, and the kill tests are made of starts.
 */
export const compileCache = fileURLToPath(
  new URL("../../node_modules/.cache/foreman-compile", import.meta.url),
);
