#!/usr/bin/env node
// The one file that is not TypeScript: a Node too old for foreman cannot read any other, and must
// still say so in words. Nothing is imported before the guard, for better-sqlite3 crashes an old
// Node.

/** Type stripping and zstd in the core; developed on 24. Held against package.json by a test. */
const least = [22, 19];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < least[0] || (major === least[0] && minor < least[1])) {
  process.stderr.write(
    `foreman needs Node ${least.join(".")} or newer; this is ${process.versions.node} ` +
      `(${process.execPath}). In a checkout \`npm start\` brings its own, ` +
      "and `npm run foreman -- COMMAND` runs on that.\n",
  );
  // EX_CONFIG of sysexits.h: a service manager need not try again.
  process.exit(78);
}
const [, program = "", command, ...words] = process.argv;
// Without a word it is the daemon, as services and `npm start` call this file; by its name as a
// command, it is the help.
const isAlone = command === undefined && !/(^|[\\/])foreman$/.test(program);
const isDaemon = isAlone || (command === "serve" && words.length === 0);
// A reload that comes before the tokens are read has nothing to do, and must not end the daemon.
if (isDaemon) process.on("SIGHUP", () => {});

const { enableCompileCache } = await import("node:module");

// A start with compiled code kept from the one before takes half the time. The folder must be one
// that nobody else can write: the service manager's, else the installation's own. If it cannot be
// written, nothing is kept; NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE have their way.
const own = new URL("../node_modules/.cache/foreman", import.meta.url).pathname;
const { directory } = enableCompileCache(process.env.CACHE_DIRECTORY?.split(":")[0] || own);
// Worker threads look here alone.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

// A start of the daemon loads no command, and a command no daemon.
if (isDaemon) {
  const { runDaemon } = await import("./daemon.ts");
  await runDaemon(process.env);
} else if (command === "token") {
  const { runTokenCommand } = await import("./access/token-command.ts");
  runTokenCommand(words, process.env);
} else {
  const { runCliProcess } = await import("./cli/run-cli-process.ts");
  await runCliProcess(process.argv.slice(2), process.env);
}
