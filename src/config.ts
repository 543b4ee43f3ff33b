import { join } from "node:path";
import parseDuration, { type StringValue } from "ms";
import { z } from "zod";
import { ForemanError } from "./errors.ts";
import { secret, secretFrom } from "./secret-setting.ts";
import { parseAllowedHost } from "./wire/allowed-host.ts";
import { originProblem } from "./wire/origin-pattern.ts";
import { webhookKeyOf } from "./wire/webhook-key.ts";

/** Everything that an operator may set, parsed and frozen. Durations in ms, sizes in bytes. */
export type Config = Readonly<z.output<typeof environment>>;

const trimmed = z.string().trim();

/** Node's timers count 31 bits of milliseconds, and fire at once beyond. */
const timerMsMax = 2 ** 31 - 1;

/** A duration such as `30s` or `10m`; a bare `0` switches the thing off. */
const duration = (fallback: string, msMax = timerMsMax) =>
  trimmed.default(fallback).transform((text, context) => {
    if (text === "0") return 0;
    const ms = /^\d/.test(text) && /[a-z]$/.test(text) ? parseDuration(text as StringValue) : NaN;
    if (Number.isSafeInteger(ms) && ms >= 0 && ms <= msMax) return ms;
    context.addIssue(
      ms > msMax
        ? `"${text}" is longer than ${Math.floor(msMax / 86_400_000)} days`
        : `"${text}" is not a duration: write 30s, 10m, 24h, or 0`,
    );
    return z.NEVER;
  });

const whole = (fallback: number, least: number, most: number) =>
  trimmed.default(String(fallback)).transform((text, context) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    context.addIssue(`"${text}" is not a whole number from ${least} to ${most}`);
    return z.NEVER;
  });

const bytesByUnit: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** A size such as `64m`; a bare number counts bytes. */
const size = (fallback: string) =>
  trimmed.default(fallback).transform((text, context) => {
    const [, digits, unit] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? [];
    if (digits !== undefined) return Number(digits) * (bytesByUnit[unit?.toLowerCase() ?? ""] ?? 1);
    context.addIssue(`"${text}" is not a size: write 512k, 64m or 2g`);
    return z.NEVER;
  });

const list = trimmed.default("").transform((text) => text.split(/[\s,]+/).filter(Boolean));

const flag = z.enum(["true", "false"], { error: "is either true or false" });

const address = trimmed.default("127.0.0.1:8080").transform((text, context) => {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:\s]*)):(\d{1,5})$/i.exec(text) ?? [];
  if (port !== undefined && Number(port) <= 65_535) {
    return { host: bracketed ?? (plain || "0.0.0.0"), port: Number(port) };
  }
  context.addIssue(`"${text}" is not host:port, such as 127.0.0.1:8080 or [::1]:8080`);
  return z.NEVER;
});

const targetUrl = trimmed.default("http://127.0.0.1:11434").transform((text, context) => {
  const url = URL.parse(text);
  const isOrigin = url?.pathname === "/" && !url.search && !url.hash;
  const isOpen = url?.username === "" && url.password === "";
  if (url && /^https?:$/.test(url.protocol) && isOrigin && isOpen) return url.origin;
  // The value is not repeated: it may hold a password.
  context.addIssue(
    "is not an http(s) origin, such as http://127.0.0.1:11434 (a secret: FOREMAN_OLLAMA_TOKEN)",
  );
  return z.NEVER;
});

const quantum = trimmed.default("32/120s").transform((text, context) => {
  const [, jobs, time] = /^(\d{1,6})\s*\/\s*(\d+[a-z]+)$/.exec(text) ?? [];
  const ms = time === undefined ? NaN : parseDuration(time as StringValue);
  if (Number(jobs) > 0 && ms > 0) return { jobs: Number(jobs), ms };
  context.addIssue(`"${text}" is not jobs/duration, such as 32/120s`);
  return z.NEVER;
});

const allowedHosts = list.transform((entries, context) =>
  entries.flatMap((entry) => {
    const host = parseAllowedHost(entry);
    if (typeof host !== "string") return [host];
    context.addIssue(`"${entry}" ${host}`);
    return [];
  }),
);

const path = trimmed.min(1, { error: "is empty" }).optional();

const environment = z
  .strictObject({
    FOREMAN_ADDR: address,
    FOREMAN_OLLAMA_URL: targetUrl,
    FOREMAN_OLLAMA_TOKEN: secret,
    FOREMAN_OLLAMA_TOKEN_FILE: path,
    FOREMAN_DB: path,
    FOREMAN_DISK_FLOOR: size("128m"),
    STATE_DIRECTORY: trimmed.transform((text) => text.split(":", 1)[0] || undefined).optional(),
    FOREMAN_POLL_INTERVAL: duration("30s").refine((ms) => ms >= 100, {
      error: "is at least 100ms",
    }),
    FOREMAN_EMBED_MODEL: trimmed.min(1).optional(),
    FOREMAN_EMBED_CONCURRENCY: whole(64, 1, 10_000),
    FOREMAN_CHAT_SLOTS: whole(1, 1, 256),
    FOREMAN_KEEP_ALIVE: trimmed
      .regex(/^(-?\d+|-?(\d+(\.\d+)?(ns|us|ms|s|m|h))+)$/, {
        error: "is neither seconds (300, -1) nor a duration (5m, 1h30m)",
      })
      .optional(),
    FOREMAN_QUEUE_MAX: whole(512, 1, 1_000_000),
    FOREMAN_QUEUE_BYTES_MAX: size("1g"),
    FOREMAN_QUEUE_TIMEOUT: duration("0"),
    FOREMAN_EVENT_STREAMS_MAX: whole(1_000, 0, 1_000_000),
    FOREMAN_STALL_TIMEOUT: duration("10m"),
    FOREMAN_RUN_TIMEOUT: duration("0"),
    FOREMAN_KEEPALIVE_AFTER: duration("240s"),
    FOREMAN_PREEMPT_WITHIN: duration("20s"),
    FOREMAN_SWAP_QUANTUM: quantum,
    FOREMAN_MAX_ATTEMPTS: whole(3, 1, 100),
    FOREMAN_JOB_TTL: duration("24h", Number.MAX_SAFE_INTEGER),
    FOREMAN_DRAIN_TIMEOUT: duration("30s"),
    FOREMAN_BODY_MAX: size("256m"),
    FOREMAN_ANSWER_MAX: size("16m"),
    FOREMAN_TOKEN: secret,
    FOREMAN_TOKEN_FILE: path,
    FOREMAN_INSECURE: flag.default("false").transform((text) => text === "true"),
    FOREMAN_ALLOWED_HOSTS: list,
    FOREMAN_ORIGINS: list.superRefine((patterns, context) => {
      for (const pattern of patterns) {
        const problem = originProblem(pattern);
        if (problem !== null) context.addIssue(`"${pattern}": ${problem}`);
      }
    }),
    FOREMAN_WEBHOOK_ALLOW: allowedHosts,
    FOREMAN_WEBHOOK_SECRET: secret,
    FOREMAN_WEBHOOK_SECRET_FILE: path,
    FOREMAN_LOG_LEVEL: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .default("info"),
  })
  .transform((settings, context) => {
    const inboundToken = secretFrom("FOREMAN_TOKEN", settings, context);
    const outboundToken = secretFrom("FOREMAN_OLLAMA_TOKEN", settings, context);
    const webhookSecret = secretFrom("FOREMAN_WEBHOOK_SECRET", settings, context);
    const webhookKey = webhookSecret === null ? null : webhookKeyOf(webhookSecret);
    if (webhookSecret !== null && webhookKey === null) {
      context.addIssue(
        "FOREMAN_WEBHOOK_SECRET: after whsec_ it wants 24 to 64 bytes in base64, such as " +
          "`openssl rand -base64 32` makes",
      );
    }
    const { host } = settings.FOREMAN_ADDR;
    if (!isLoopback(host) && inboundToken === null && !settings.FOREMAN_INSECURE) {
      context.addIssue(
        `FOREMAN_ADDR binds ${host}, which other machines reach, but no token is set: ` +
          "set FOREMAN_TOKEN, or FOREMAN_INSECURE=true to serve everyone",
      );
    }
    const stateFolder = settings.STATE_DIRECTORY ?? "./data";
    return {
      listen: settings.FOREMAN_ADDR,
      isLoopbackOnly: isLoopback(host),
      targetOrigin: settings.FOREMAN_OLLAMA_URL,
      outboundToken,
      databaseFile: settings.FOREMAN_DB ?? join(stateFolder, "foreman.db"),
      diskFloorBytes: settings.FOREMAN_DISK_FLOOR,
      pollIntervalMs: settings.FOREMAN_POLL_INTERVAL,
      embedModel: settings.FOREMAN_EMBED_MODEL ?? null,
      embedConcurrency: settings.FOREMAN_EMBED_CONCURRENCY,
      chatSlots: settings.FOREMAN_CHAT_SLOTS,
      keepAlive: settings.FOREMAN_KEEP_ALIVE ?? null,
      queueDepthMax: settings.FOREMAN_QUEUE_MAX,
      bodiesBytesMax: settings.FOREMAN_QUEUE_BYTES_MAX,
      waitMsMax: settings.FOREMAN_QUEUE_TIMEOUT,
      eventStreamsMax: settings.FOREMAN_EVENT_STREAMS_MAX,
      runLimits: {
        stallMsMax: settings.FOREMAN_STALL_TIMEOUT,
        runMsMax: settings.FOREMAN_RUN_TIMEOUT,
        attemptsMax: settings.FOREMAN_MAX_ATTEMPTS,
      },
      fillerAfterMs: settings.FOREMAN_KEEPALIVE_AFTER,
      preemptWithinMs: settings.FOREMAN_PREEMPT_WITHIN,
      swapQuantum: settings.FOREMAN_SWAP_QUANTUM,
      jobTtlMs: settings.FOREMAN_JOB_TTL,
      drainTimeoutMs: settings.FOREMAN_DRAIN_TIMEOUT,
      bodyBytesMax: settings.FOREMAN_BODY_MAX,
      answerBytesMax: settings.FOREMAN_ANSWER_MAX,
      inboundToken,
      allowedHosts: settings.FOREMAN_ALLOWED_HOSTS,
      origins: settings.FOREMAN_ORIGINS,
      webhookAllow: settings.FOREMAN_WEBHOOK_ALLOW,
      webhookKey,
      logLevel: settings.FOREMAN_LOG_LEVEL,
    };
  });

/**
 * Reads the settings from an environment. Names that begin with FOREMAN_ and are no setting are
 * errors, so that a typo cannot go unnoticed.
 *
 * @throws ForemanError `config_invalid`, naming each variable at fault and what it wants.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const ours = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => value !== undefined && /^(FOREMAN_|STATE_DIRECTORY$)/.test(name),
    ),
  );
  const parsed = environment.safeParse(ours);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new ForemanError("config_invalid", parsed.error.issues.map(describeIssue).join("\n"));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys.join(", ")}: no such setting; .env.example lists them all`;
  }
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

/** Loopback by name or number: no other machine can reach it. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
