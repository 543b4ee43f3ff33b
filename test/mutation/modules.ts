/** A part of foreman whose tests are measured by mutation, and which files measure it. */
export type MutatedModule = {
  readonly name: string;
  readonly what: string;
  /** Source files, as globs. */
  readonly mutate: readonly string[];
  /** The test files that are to notice, as globs. */
  readonly tests: readonly string[];
};

export const mutatedModules: readonly MutatedModule[] = [
  {
    name: "headers",
    what: "which headers pass, either way",
    mutate: ["src/target/hop-headers.ts"],
    tests: ["test/target/hop-headers.test.ts"],
  },
  {
    name: "auth",
    what: "tokens, scopes, hosts and origins",
    mutate: ["src/access/*.ts", "src/http/door/{access,admin-routes,host-policy,origin-policy}.ts"],
    tests: ["test/access/*.test.ts", "test/http/door/*.test.ts"],
  },
  {
    name: "queue",
    what: "who waits, leaves, is cancelled, comes back",
    mutate: ["src/queue/*.ts"],
    tests: ["test/queue/*.test.ts", "test/dispatch/*.test.ts"],
  },
  {
    name: "scheduler",
    what: "who goes next",
    mutate: ["src/scheduler/*.ts"],
    // Without the properties: against a mutant that survives they take ten seconds, for hours in all.
    tests: [
      "test/scheduler/{forecast,preempt,schedule,schedule-order,schedule-runner,share}.test.ts",
    ],
  },
];
