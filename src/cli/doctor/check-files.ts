import { lstatSync, statSync } from "node:fs";
import type { Config } from "../../config.ts";
import { secretNames } from "../../secret-setting.ts";
import type { Shell } from "../shell.ts";
import type { Finding } from "./finding.ts";

type Watched = { readonly subject: string; readonly file: string; readonly isOptional: boolean };

/** Whether the files that hold prompts and tokens are their owner's alone. */
export function checkFiles(
  { databaseFile, tokensFile }: Config,
  uid: number | null,
): readonly Finding[] {
  const files: readonly Watched[] = [
    { subject: "database", file: databaseFile, isOptional: true },
    ...(tokensFile === null ? [] : [{ subject: "tokens", file: tokensFile, isOptional: false }]),
  ];
  return files.map((each) => fileFinding(each, uid));
}

function fileFinding({ file, isOptional, subject }: Watched, uid: number | null): Finding {
  try {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) return missing(subject, file, isOptional);
    if (!found.isFile()) {
      const remedy = "name the file itself: foreman follows no link and opens nothing else";
      return { level: "fault", subject, found: `${file} is no plain file`, remedy };
    }
    if (uid !== null && found.uid !== uid && uid !== 0) {
      const words = `${file} belongs to user ${found.uid}, and this is ${uid}`;
      const remedy = "run the doctor as foreman's user, or change the owner of the file";
      return { level: "warning", subject, found: words, remedy };
    }
    const mode = (found.mode & 0o777).toString(8);
    if ((found.mode & 0o077) === 0) {
      return { level: "ok", subject, found: `${file}, its owner's alone (${mode})`, remedy: null };
    }
    const words = `${file} can be read or written by others (${mode})`;
    return { level: "fault", subject, found: words, remedy: `chmod 600 ${file}` };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const remedy = "run the doctor as foreman's user";
    return { level: "unknown", subject, found: `${file} cannot be looked at: ${words}`, remedy };
  }
}

function missing(subject: string, file: string, isOptional: boolean): Finding {
  const found = `${file} is not there${isOptional ? " yet" : ""}`;
  if (isOptional) return { level: "ok", subject, found, remedy: null };
  const remedy = "`foreman token add NAME --scope admin` makes it, or correct FOREMAN_TOKENS_FILE";
  return { level: "fault", subject, found, remedy };
}

/**
 * Whether nobody but foreman's user and its group may read the files that settings such as
 * FOREMAN_TOKEN_FILE name. Links are followed, as foreman does, and a group may read: that is how
 * a service manager's credentials look.
 */
export function checkSecretFiles(env: Shell["env"]): readonly Finding[] {
  return secretNames.flatMap((name) => {
    const file = env[`${name}_FILE`];
    return file ? [secretFinding(`${name}_FILE`, file)] : [];
  });
}

function secretFinding(subject: string, file: string): Finding {
  try {
    const bits = statSync(file).mode & 0o777;
    const mode = bits.toString(8);
    if ((bits & 0o027) === 0) {
      return { level: "ok", subject, found: `${file}, closed to others (${mode})`, remedy: null };
    }
    const found = `${file} can be read or written by others (${mode})`;
    const remedy = `chmod 600 ${file}, and give out a new secret if others use this machine`;
    return { level: "fault", subject, found, remedy };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    const remedy = `correct ${subject}, or run the doctor as foreman's user`;
    return { level: "unknown", subject, found: `${file} cannot be looked at: ${words}`, remedy };
  }
}
