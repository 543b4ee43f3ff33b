/** Starts and stops of a daemon that has durable jobs: killed, asked to go, and with many waiting. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { migrate } from "../../src/store/migrate.ts";
import { writeFirstSchema } from "../store/sqlite/first-schema.ts";
import { lookInto } from "../support/job-rows.ts";
import { chatAbout, KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";
