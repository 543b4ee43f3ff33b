import { parseArgs } from "node:util";
import { ForemanError } from "../errors.ts";
import { hashOf, newToken } from "./new-token.ts";
import { addToken, removeToken } from "./token-file.ts";

const usage =
  "usage: foreman token add NAME [--scope user|admin] [--priority interactive|batch] " +
  "[--weight 1] [--slots N] [--file FILE]\n       foreman token remove NAME [--file FILE]";

/**
 * `foreman token add NAME`: adds a client to FOREMAN_TOKENS_FILE, or to `--file`, and prints its
 * token, which is kept nowhere; `remove NAME` takes one out. Exits 0; 64 for a wrong call, 78 when
 * the file cannot take it.
 */
export function runTokenCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  try {
    const asked = readArgs(args, env);
    if (typeof asked === "string") {
      complain(64, asked);
      return;
    }
    const { file, verb, ...facts } = asked;
    if (verb === "remove") {
      removeToken(file, asked.name);
      const effect = "Send foreman SIGHUP, and its token is worth nothing.";
      process.stderr.write(`"${asked.name}" is no longer in ${file}. ${effect}\n`);
      return;
    }
    const token = newToken();
    addToken(file, { ...facts, hash: hashOf(token) });
    process.stdout.write(`${token}\n`);
    process.stderr.write(
      `"${asked.name}" (${asked.scope}) is in ${file}. The token is shown this once. ` +
        "Send foreman SIGHUP, and it is valid.\n",
    );
  } catch (cause) {
    if (!(cause instanceof ForemanError)) throw cause;
    complain(78, cause.message);
  }
}

type Asked = Omit<Parameters<typeof addToken>[1], "hash"> & {
  readonly verb: "add" | "remove";
  readonly file: string;
};

function readArgs(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Asked | string {
  const options = {
    scope: { type: "string", default: "user" },
    priority: { type: "string", default: "interactive" },
    weight: { type: "string", default: "1" },
    slots: { type: "string" },
    file: { type: "string" },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    return `${cause instanceof Error ? cause.message : String(cause)}\n${usage}`;
  }
  const [verb, name, ...rest] = parsed.positionals;
  const { priority, scope, slots, weight } = parsed.values;
  if (verb !== "add" && verb !== "remove") return usage;
  if (name === undefined || rest.length > 0) return usage;
  if (scope !== "user" && scope !== "admin") return `--scope is user or admin\n${usage}`;
  if (priority !== "interactive" && priority !== "batch") {
    return `--priority is interactive or batch\n${usage}`;
  }
  const file = parsed.values.file ?? env.FOREMAN_TOKENS_FILE;
  if (!file) return `neither FOREMAN_TOKENS_FILE nor --file names a file\n${usage}`;
  const limits = slots === undefined ? {} : { slots: Number(slots) };
  return { verb, name, scope, priority, weight: Number(weight), ...limits, file };
}

function complain(exitCode: number, message: string): void {
  process.stderr.write(`foreman: ${message}\n`);
  process.exitCode = exitCode;
}
