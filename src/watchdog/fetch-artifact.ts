import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { codeOf } from "../errors.ts";
import type { Artifact } from "../wire/models-file.ts";
import type { Effort } from "./effort.ts";

/** How often the room on the disk is looked at while a file grows. */
const lookEveryBytes = 64 * 2 ** 20;

/** Each retry of the S3 client begins the request anew; the next attempt is foreman's. */
const s3AttemptsMax = 3;

export type BucketSettings = {
  /** Of a server that is not Amazon's; null for theirs. */
  readonly s3Endpoint: string | null;
  /** So much of the disk is left free. */
  readonly diskFloorBytes: number;
};

type Fetch = {
  readonly artifact: Artifact;
  /** Where it shall lie. What lies there is replaced. */
  readonly path: string;
  /** Checks the whole file before it is given its name; throws if it is not what it should be. */
  readonly check: (path: string) => Promise<void>;
};

/**
 * Fetches one object into a file: under a temporary name, written through to the disk, checked,
 * and only then under its own, so that a file with that name is always whole.
 *
 * @throws Error with what S3, the disk or the check says
 */
export async function fetchArtifact(
  { artifact, check, path }: Fetch,
  effort: Effort,
  settings: BucketSettings,
): Promise<void> {
  const { bucket, key, url } = artifact;
  const { signal } = effort;
  effort.note("downloading");
  // Loaded here, because it takes 100 ms and memory that a foreman without a bucket does not need.
  const s3 = await import("@aws-sdk/client-s3");
  const endpoint = settings.s3Endpoint;
  const client = new s3.S3Client({
    maxAttempts: s3AttemptsMax,
    // Most servers that are not Amazon's have no host name for each bucket.
    ...(endpoint !== null && { endpoint, forcePathStyle: true }),
  });
  const partial = `${path}.part`;
  try {
    const command = new s3.GetObjectCommand({ Bucket: bucket, Key: key });
    const { Body, ContentLength = 0 } = await client.send(command, { abortSignal: signal });
    if (!(Body instanceof Readable)) throw new Error(`${url} came without a body`);
    await mkdir(dirname(path), { recursive: true });
    const meter = meterOf(dirname(path), ContentLength, effort, settings.diskFloorBytes);
    await pipeline(Body, meter, createWriteStream(partial, { flush: true }), { signal });
    await check(partial);
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(partial, { force: true });
    signal.throwIfAborted();
    throw new Error(`${url}: ${await withoutCredentials(wordsOf(cause), client)}`);
  } finally {
    client.destroy();
  }
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Node says "aborted" of an answer that ended before its length, as if it had been our doing.
  return codeOf(cause) === "ECONNRESET" ? "the server broke the connection off" : cause.message;
}

/** A server, or a proxy before it, may repeat what it refuses; the text stands in the status. */
async function withoutCredentials(text: string, { config }: S3Client): Promise<string> {
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await config.credentials();
    const secrets = [secretAccessKey, sessionToken, accessKeyId];
    return secrets.reduce<string>((safe, secret) => {
      return secret ? safe.replaceAll(secret, "[key]") : safe;
    }, text);
  } catch {
    // There are none, which is why it failed.
    return text;
  }
}

/** Counts what passes, and stops it where the disk would be filled below its floor. */
function meterOf(folder: string, total: number, effort: Effort, floorBytes: number): Transform {
  let doneBytes = 0;
  let lookAtBytes = 0;
  return new Transform({
    async transform(piece: Buffer, _encoding, callback) {
      try {
        if (doneBytes >= lookAtBytes) await checkRoom(folder, total - doneBytes, floorBytes);
        if (doneBytes >= lookAtBytes) lookAtBytes = doneBytes + lookEveryBytes;
        doneBytes += piece.length;
        effort.note("downloading", doneBytes, total);
        callback(null, piece);
      } catch (cause) {
        callback(cause instanceof Error ? cause : new Error(String(cause)));
      }
    },
  });
}

async function checkRoom(folder: string, neededBytes: number, floorBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const roomBytes = bavail * bsize - floorBytes;
  if (neededBytes <= roomBytes) return;
  throw new Error(
    `it needs ${neededBytes} bytes in ${folder}, and ${Math.max(0, roomBytes)} are free above ` +
      "FOREMAN_DISK_FLOOR: make room, or name another FOREMAN_MODEL_CACHE",
  );
}

/** The new name is on the disk as well. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
