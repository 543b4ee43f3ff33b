import { createHash, randomBytes } from "node:crypto";

/** A token that nobody can guess: `fm_` and 32 random bytes in base64url. */
export function newToken(): string {
  return `fm_${randomBytes(32).toString("base64url")}`;
}

/** What is kept of a token. Its 256 random bits make a slow hash needless. */
export function hashOf(token: string): string {
  return `sha256:${createHash("sha256").update(token).digest("hex")}`;
}
