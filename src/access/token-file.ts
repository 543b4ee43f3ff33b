import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { ForemanError } from "../errors.ts";

/** The name of the client that comes with FOREMAN_TOKEN. */
export const defaultName = "default";

const entry = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "is 1 to 64 letters, digits, dots, dashes or underscores",
    })
    .refine((name) => name !== defaultName, { error: `"${defaultName}" is FOREMAN_TOKEN's` }),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, {
    error: 'is "sha256:" and 64 hex digits, as `foreman token add` writes it',
  }),
  scope: z.enum(["user", "admin"]),
  /** The highest class that its jobs may have. */
  priority: z.enum(["interactive", "batch"]).default("interactive"),
  /** How many of its jobs may run at once; absent: as many as there are slots. */
  slots: z.int().min(1).max(1_000).optional(),
  /** Of the GPU, against the others that wait for the same model. */
  weight: z.number().positive().max(1_000).default(1),
});

const tokenFile = z.strictObject({
  tokens: z
    .array(entry)
    .max(1_000)
    .superRefine((tokens, context) => {
      for (const [i, { hash, name }] of tokens.entries()) {
        const before = tokens.slice(0, i);
        if (before.some((other) => other.name === name)) {
          context.addIssue({ code: "custom", message: "is there twice", path: [i, "name"] });
        }
        if (before.some((other) => other.hash === hash)) {
          context.addIssue({ code: "custom", message: "is another's too", path: [i, "hash"] });
        }
      }
    }),
});

export type TokenEntry = Readonly<z.output<typeof entry>>;

/**
 * The entries of the file that FOREMAN_TOKENS_FILE names.
 *
 * @throws ForemanError `config_invalid`, naming the file, the entry and what is wrong with it
 */
export function readTokenFile(file: string): readonly TokenEntry[] {
  const parsed = tokenFile.safeParse(jsonOf(file));
  if (parsed.success) return parsed.data.tokens;
  const causes = parsed.error.issues.map(
    ({ message, path }) => `${file}: ${path.map(String).join(".") || "the file"}: ${message}`,
  );
  throw invalid(causes.join("\n"));
}

/**
 * Adds an entry. The file is replaced whole, so that a crash leaves the old one or the new one; it
 * is made if it is not there.
 *
 * @throws ForemanError `config_invalid` as `readTokenFile`, or when the name is taken or the file
 * cannot be written
 */
export function addToken(file: string, added: z.input<typeof entry>): void {
  change(file, () => textWith(file, added));
}

/**
 * Takes an entry out, as `addToken` puts one in.
 *
 * @throws ForemanError `config_invalid` as `addToken`, or when there is none of that name
 */
export function removeToken(file: string, name: string): void {
  change(file, () => {
    const before = readTokenFile(file);
    const tokens = before.filter((each) => each.name !== name);
    if (tokens.length < before.length) return textOf(tokens);
    const names = before.map((each) => each.name).join(", ") || "nobody";
    throw invalid(`${file}: there is no "${name}" in it, but ${names}`);
  });
}

function change(file: string, makeText: () => string): void {
  try {
    replace(file, makeText);
  } catch (cause) {
    if (cause instanceof ForemanError) throw cause;
    throw invalid(`${file}: cannot be written (${String(cause)})`);
  }
}

function textOf(tokens: readonly TokenEntry[]): string {
  return `${JSON.stringify({ tokens }, null, 2)}\n`;
}

function textWith(file: string, added: z.input<typeof entry>): string {
  const isThere = statSync(file, { throwIfNoEntry: false }) !== undefined;
  const before = isThere ? readTokenFile(file) : [];
  const parsed = tokenFile.safeParse({ tokens: [...before, added] });
  if (parsed.success) return textOf(parsed.data.tokens);
  const causes = parsed.error.issues.map(
    ({ message, path }) => `${String(path.at(-1))}: ${message}`,
  );
  throw invalid(`${file}: cannot add "${added.name}": ${causes.join("; ")}`);
}

function jsonOf(file: string): unknown {
  let text: string;
  try {
    const stats = statSync(file);
    if (othersMayRead(stats)) {
      const octal = (stats.mode & 0o777).toString(8).padStart(4, "0");
      throw invalid(`${file}: others may read it (mode ${octal}): run \`chmod 600 ${file}\``);
    }
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof ForemanError) throw cause;
    throw invalid(`${file}: cannot be read (${String(cause)}); FOREMAN_TOKENS_FILE names it`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would repeat what stands there, which may be a token.
    throw invalid(`${file}: is not JSON`);
  }
}

/**
 * Whether somebody beside its owner and root may read a file. systemd gives a service's user its
 * credentials by an access list, under which a mode shows that list's mask as the group's part:
 * 0440 of root's own group, in which there is nobody else (systemd.exec(5), LoadCredential=).
 */
export function othersMayRead({ gid, mode }: { gid: number; mode: number }): boolean {
  return (mode & 0o007) !== 0 || ((mode & 0o070) !== 0 && gid !== 0);
}

/** The file that is to be is the lock as well: of two at once the second is told so. */
function replace(file: string, makeText: () => string): void {
  const unfinished = `${file}.new`;
  const descriptor = openNew(unfinished);
  try {
    // Root adds tokens to a file that the daemon's user must be able to read.
    const before = statSync(file, { throwIfNoEntry: false });
    if (before !== undefined) fchownSync(descriptor, before.uid, before.gid);
    writeSync(descriptor, makeText());
    fsyncSync(descriptor);
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw cause;
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
  const folder = openSync(dirname(file), "r");
  fsyncSync(folder);
  closeSync(folder);
}

function openNew(unfinished: string): number {
  try {
    return openSync(unfinished, "wx", 0o600);
  } catch (cause) {
    throw invalid(
      `${unfinished}: cannot be made (${String(cause)}): if no other of these commands is under ` +
        "way, one was cut off, and the file may be deleted",
    );
  }
}

function invalid(message: string): ForemanError {
  return new ForemanError("config_invalid", message);
}
