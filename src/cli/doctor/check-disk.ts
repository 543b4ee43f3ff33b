import {
  closeSync,
  fdatasyncSync,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import { sizeText } from "../output/size-text.ts";
import type { Finding } from "./finding.ts";

/** As many as a slow disk does in two seconds. */
const commits = 20;

/** SQLite writes pages of this size. */
const pageBytes = 4_096;

/** Each submission waits for one; slower is felt by whoever submits one by one. */
const commitMsMax = 50;

/** The folder of the database: whether it takes writes, how fast it makes them durable, room. */
export function checkDisk(config: Config, clock: Clock): readonly Finding[] {
  const folder = dirname(config.databaseFile);
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
    return [
      {
        level: "warning",
        subject: "disk",
        found: `${folder} is not there yet`,
        remedy: "foreman makes it at its start; FOREMAN_DB names another place",
      },
    ];
  }
  try {
    return [commitFinding(folder, commitMs(folder, clock)), roomFinding(config, folder)];
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    return [
      {
        level: "fault",
        subject: "disk",
        found: `${folder} takes no file: ${words}`,
        remedy: "give it to the user that foreman runs as, or run the doctor as that user",
      },
    ];
  }
}

/** The mean time of a small durable write, in ms. */
function commitMs(folder: string, clock: Clock): number {
  const own = mkdtempSync(join(folder, ".doctor-"));
  try {
    const file = openSync(join(own, "probe"), "w", 0o600);
    const page = Buffer.alloc(pageBytes, 1);
    const began = clock.monotonicMs();
    for (let i = 0; i < commits; i += 1) {
      writeSync(file, page);
      fdatasyncSync(file);
    }
    const took = clock.monotonicMs() - began;
    closeSync(file);
    return took / commits;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function commitFinding(folder: string, ms: number): Finding {
  const isSlow = ms > commitMsMax;
  const rate = `${Math.round(1_000 / ms)} durable writes a second (${ms.toFixed(2)} ms each)`;
  return {
    level: isSlow ? "warning" : "ok",
    subject: "disk",
    found: `${folder}: ${rate}`,
    remedy: isSlow ? "put FOREMAN_DB on a local SSD, not on a network or USB disk" : null,
  };
}

function roomFinding({ diskFloorBytes }: Config, folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const isFull = free < diskFloorBytes;
  return {
    level: isFull ? "fault" : "ok",
    subject: "disk",
    found: `${sizeText(free)} free, FOREMAN_DISK_FLOOR is ${sizeText(diskFloorBytes)}`,
    remedy: isFull ? "make room: below the floor foreman takes no durable work" : null,
  };
}
