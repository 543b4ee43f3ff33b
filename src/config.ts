import { join } from "node:path";
import { z } from "zod";
import { ForemanError } from "./errors.ts";
import { modelsFrom } from "./models-setting.ts";
import { secret, secretFrom } from "./secret-setting.ts";
import {
  address,
  allowedHosts,
  baseUrl,
  blankable,
  duration,
  flag,
  list,
  path,
  quantum,
  size,
  targetUrl,
  trimmed,
  whole,
} from "./setting-kinds.ts";
import { originProblem } from "./wire/origin-pattern.ts";
import { webhookKeyOf } from "./wire/webhook-key.ts";

/** Everything that an operator may set, parsed and frozen. Durations in ms, sizes in bytes. */
export type Config = Readonly<z.output<typeof environment>>;

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
    FOREMAN_BATCH_TTL: duration("30d", Number.MAX_SAFE_INTEGER),
    FOREMAN_DRAIN_TIMEOUT: duration("30s"),
    FOREMAN_BODY_MAX: size("256m"),
    FOREMAN_ANSWER_MAX: size("16m"),
    FOREMAN_TOKEN: secret,
    FOREMAN_TOKEN_FILE: path,
    FOREMAN_TOKENS_FILE: path,
    FOREMAN_INSECURE: flag.default("false").transform((text) => text === "true"),
    FOREMAN_ALLOWED_HOSTS: list,
    FOREMAN_ORIGINS: list.superRefine((patterns, context) => {
      for (const pattern of patterns) {
        const problem = originProblem(pattern);
        if (problem !== null) context.addIssue(`"${pattern}": ${problem}`);
      }
    }),
    NEMOCLAW_API_URL: blankable(baseUrl),
    NEMOCLAW_API_KEY: blankable(secret),
    NEMOCLAW_API_KEY_FILE: blankable(path),
    NEMOCLAW_MODELS: list,
    FOREMAN_NEMOCLAW_CONCURRENCY: whole(4, 1, 1_000),
    FOREMAN_NEMOCLAW_TIMEOUT: duration("10m").refine((ms) => ms >= 1, { error: "is at least 1ms" }),
    FOREMAN_ROUTE_LARGE_TOKENS: whole(8_000, 1, 1_000_000_000),
    FOREMAN_WEBHOOK_ALLOW: allowedHosts,
    FOREMAN_WEBHOOK_SECRET: secret,
    FOREMAN_WEBHOOK_SECRET_FILE: path,
    // Each repair is a whole generation: what ten do not mend, an eleventh will not.
    FOREMAN_REPAIR_ATTEMPTS: whole(2, 0, 10),
    FOREMAN_REQUIRED_MODELS: list,
    FOREMAN_MODELS_FILE: path,
    FOREMAN_MODEL_CACHE: path,
    AWS_ENDPOINT_URL_S3: blankable(trimmed),
    AWS_ENDPOINT_URL: blankable(trimmed),
    // The command's own, which an operator's shell may have set when it starts the daemon.
    FOREMAN_URL: z.string().optional(),
    FOREMAN_CLIENT_TOKEN: z.string().optional(),
    FOREMAN_LOG_LEVEL: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .default("info"),
  })
  .transform((settings, context) => {
    const inboundToken = secretFrom("FOREMAN_TOKEN", settings, context);
    const outboundToken = secretFrom("FOREMAN_OLLAMA_TOKEN", settings, context);
    const nemoclawKey = secretFrom("NEMOCLAW_API_KEY", settings, context);
    if (nemoclawKey !== null && settings.NEMOCLAW_API_URL === undefined) {
      context.addIssue("NEMOCLAW_API_KEY is set, but NEMOCLAW_API_URL, where it goes, is not");
    }
    const webhookSecret = secretFrom("FOREMAN_WEBHOOK_SECRET", settings, context);
    const webhookKey = webhookSecret === null ? null : webhookKeyFrom(webhookSecret, context);
    const models = modelsFrom(settings, context);
    const { host } = settings.FOREMAN_ADDR;
    const hasTokens = inboundToken !== null || settings.FOREMAN_TOKENS_FILE !== undefined;
    if (!isLoopback(host) && !hasTokens && !settings.FOREMAN_INSECURE) {
      context.addIssue(
        `FOREMAN_ADDR binds ${host}, which other machines reach, but no token is set: ` +
          "set FOREMAN_TOKEN or FOREMAN_TOKENS_FILE, or FOREMAN_INSECURE=true to serve everyone",
      );
    }
    const stateFolder = settings.STATE_DIRECTORY ?? "./data";
    return {
      listen: settings.FOREMAN_ADDR,
      isLoopbackOnly: isLoopback(host),
      targetOrigin: settings.FOREMAN_OLLAMA_URL,
      isTargetHere: isLoopback(
        new URL(settings.FOREMAN_OLLAMA_URL).hostname.replace("[::1]", "::1"),
      ),
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
      batchTtlMs: settings.FOREMAN_BATCH_TTL,
      drainTimeoutMs: settings.FOREMAN_DRAIN_TIMEOUT,
      bodyBytesMax: settings.FOREMAN_BODY_MAX,
      answerBytesMax: settings.FOREMAN_ANSWER_MAX,
      inboundToken,
      tokensFile: settings.FOREMAN_TOKENS_FILE ?? null,
      allowedHosts: settings.FOREMAN_ALLOWED_HOSTS,
      origins: settings.FOREMAN_ORIGINS,
      nemoclaw: settings.NEMOCLAW_API_URL
        ? {
            baseUrl: settings.NEMOCLAW_API_URL,
            key: nemoclawKey,
            models: settings.NEMOCLAW_MODELS,
            concurrency: settings.FOREMAN_NEMOCLAW_CONCURRENCY,
            timeoutMs: settings.FOREMAN_NEMOCLAW_TIMEOUT,
          }
        : null,
      repairsMax: settings.FOREMAN_REPAIR_ATTEMPTS,
      largeTokens: settings.FOREMAN_ROUTE_LARGE_TOKENS,
      webhookAllow: settings.FOREMAN_WEBHOOK_ALLOW,
      webhookKey,
      ...models,
      modelCache: settings.FOREMAN_MODEL_CACHE ?? null,
      s3Endpoint: settings.AWS_ENDPOINT_URL_S3 ?? settings.AWS_ENDPOINT_URL ?? null,
      logLevel: settings.FOREMAN_LOG_LEVEL,
    };
  });

function webhookKeyFrom(secret: string, context: z.RefinementCtx) {
  const key = webhookKeyOf(secret);
  if (key === null) {
    context.addIssue(
      "FOREMAN_WEBHOOK_SECRET: after whsec_ it wants 24 to 64 bytes in base64, such as " +
        "`openssl rand -base64 32` makes",
    );
  }
  return key;
}

/** Other programs have settings of their own that begin with NEMOCLAW_ or AWS_. */
const ours = new RegExp(
  "^(FOREMAN_.*|STATE_DIRECTORY|AWS_ENDPOINT_URL(_S3)?|" +
    "NEMOCLAW_(API_URL|API_KEY|API_KEY_FILE|MODELS))$",
);

/**
 * Reads the settings from an environment. Names that begin with FOREMAN_ and are no setting are
 * errors, so that a typo cannot go unnoticed.
 *
 * @throws ForemanError `config_invalid`, naming each variable at fault and what it wants.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== undefined && ours.test(name)),
  );
  const parsed = environment.safeParse(given);
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
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
