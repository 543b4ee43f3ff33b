import { readFileSync } from "node:fs";
import { secret } from "../../secret-setting.ts";
import { CliFailure, exitCodes } from "../cli-failure.ts";
import type { Shell } from "../shell.ts";

export type Address = {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string | null;
};

export type AddressOptions = {
  readonly url?: string | undefined;
  readonly tokenFile?: string | undefined;
};

const urlDefault = "http://127.0.0.1:8080";

/**
 * Where foreman is and what to show there: options, else FOREMAN_URL and FOREMAN_CLIENT_TOKEN. A
 * token is never an argument, which every user of a machine can read in its list of processes.
 *
 * @throws CliFailure for a URL or a token that cannot be one, without repeating the token
 */
export function readAddress(options: AddressOptions, env: Shell["env"]): Address {
  const given = options.url ?? env.FOREMAN_URL ?? urlDefault;
  const url = URL.parse(given);
  const isPlain = url?.search === "" && !url.hash && url.username === "" && url.password === "";
  if (url === null || !isPlain || !/^https?:$/.test(url.protocol)) {
    const name = options.url === undefined ? "FOREMAN_URL" : "--url";
    throw new CliFailure(
      exitCodes.badSetting,
      `${name} is no http(s) URL without user and query, such as ${urlDefault}`,
    );
  }
  return { url: (url.origin + url.pathname).replace(/\/+$/, ""), token: tokenOf(options, env) };
}

function tokenOf({ tokenFile }: AddressOptions, env: Shell["env"]): string | null {
  const given = tokenFile === undefined ? env.FOREMAN_CLIENT_TOKEN : readToken(tokenFile);
  if (given === undefined) return null;
  const parsed = secret.safeParse(given);
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  throw new CliFailure(
    exitCodes.badSetting,
    `${tokenFile ?? "FOREMAN_CLIENT_TOKEN"} holds no token: one line without blanks is wanted`,
  );
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(exitCodes.badSetting, `--token-file cannot be read: ${words}`, { cause });
  }
}
