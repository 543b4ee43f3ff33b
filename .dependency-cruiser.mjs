// The walls between the rooms: see the map in README.md.
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: "^src/", pathNot: from },
  to: { path: to },
});

export default {
  forbidden: [
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "scheduler-is-pure",
      comment:
        "schedule() takes a snapshot and returns decisions; it imports the ground floor at most.",
      severity: "error",
      from: { path: "^src/scheduler/" },
      to: { path: "^src/", pathNot: "^src/(scheduler/|job\\.ts$)" },
    },
    {
      name: "queue-and-scheduler-never-meet",
      comment: "dispatch/ joins them.",
      severity: "error",
      from: { path: "^src/queue/" },
      to: {
        path: "^src/(scheduler|dispatch|http|runtime|target)/",
        pathNot: "^src/target/(target|load-key)\\.ts$",
      },
    },
    {
      name: "http-decides-nothing",
      comment: "http/ adapts; it neither dispatches nor speaks SQL.",
      severity: "error",
      from: { path: "^src/http/" },
      to: { path: "^src/(dispatch|scheduler|store/sqlite)/" },
    },
    {
      name: "runtime-knows-no-routes",
      comment: "http/ adapts runtime/, and dispatch/ runs what it queues.",
      severity: "error",
      from: { path: "^src/runtime/" },
      to: { path: "^src/(http|dispatch|scheduler|store/sqlite)/" },
    },
    {
      name: "target-knows-no-queue",
      severity: "error",
      from: { path: "^src/target/" },
      to: { path: "^src/(queue|scheduler|dispatch|http|runtime|store)/" },
    },
    {
      name: "store-knows-jobs-alone",
      severity: "error",
      from: { path: "^src/store/" },
      to: { path: "^src/(queue|scheduler|dispatch|http|runtime|target)/" },
    },
    {
      name: "wire-knows-nobody",
      severity: "error",
      from: { path: "^src/wire/" },
      to: { path: "^src/", pathNot: "^src/wire/" },
    },
    {
      name: "page-runs-in-browsers",
      comment: "It shares the shapes of wire/ with foreman, as types alone.",
      severity: "error",
      from: { path: "^src/page/" },
      to: { path: "^src/", pathNot: "^src/(page|wire)/" },
    },
    only(
      "root-alone-composes",
      "^src/(open-store\\.ts$|daemon\\.ts$|foreman\\.ts$|build-engine\\.ts$|dispatch/|store/sqlite/)",
      "^src/(dispatch/|store/sqlite/)",
    ),
    only(
      "root-alone-builds-the-target",
      "^src/build-engine\\.ts$",
      "^src/target/ollama-target\\.ts$",
    ),
    {
      name: "results-are-read-off-rows",
      comment: "result/ is below everyone who tells what became of a job.",
      severity: "error",
      from: { path: "^src/result/" },
      to: { path: "^src/", pathNot: "^src/(result|wire)/|^src/(job|store/store)\\.ts$" },
    },
    only("sqlite-in-one-folder", "^src/store/sqlite/", "better-sqlite3"),
    only(
      "undici-in-few-places",
      "^src/(target/|webhook/|runtime/providers/openai-endpoint\\.ts$)",
      "node_modules/undici",
    ),
    only("s3-in-one-folder", "^src/watchdog/", "node_modules/@aws-sdk"),
    {
      name: "watchdog-takes-no-part-in-the-queue",
      comment: "It sees to what the target has; dispatch/ holds the jobs of what it lacks.",
      severity: "error",
      from: { path: "^src/watchdog/" },
      to: { path: "^src/(queue|scheduler|dispatch|http|runtime|store)/" },
    },
    only("webhooks-are-called-by-nobody", "^src/(build-engine\\.ts$|webhook/)", "^src/webhook/"),
    {
      name: "webhooks-read-the-store",
      comment: "Telling what happened knows neither who waits nor who runs.",
      severity: "error",
      from: { path: "^src/webhook/" },
      to: { path: "^src/(queue|scheduler|dispatch|http|target)/" },
    },
    {
      name: "commands-ask-over-the-wire",
      comment: "A command speaks with a foreman, near or far; it is no part of one.",
      severity: "error",
      from: { path: "^src/cli/" },
      to: {
        path: "^src/",
        pathNot: "^src/(cli/|wire/|(clock|errors|config|secret-setting|setting-kinds)\\.ts$)",
      },
    },
    only("commands-are-called-by-main", "^src/(main\\.js$|cli/)", "^src/cli/"),
    only("commander-in-one-folder", "^src/cli/", "node_modules/(commander|cli-progress)"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node"] },
    tsConfig: { fileName: "tsconfig.json" },
  },
};
