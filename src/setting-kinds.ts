import parseDuration, { type StringValue } from "ms";
import { z } from "zod";
import { parseAllowedHost } from "./wire/allowed-host.ts";

export const trimmed = z.string().trim();

/** Node's timers count 31 bits of milliseconds, and fire at once beyond. */
const timerMsMax = 2 ** 31 - 1;

/** A duration such as `30s` or `10m`; a bare `0` switches the thing off. */
export const duration = (fallback: string, msMax = timerMsMax) =>
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

export const whole = (fallback: number, least: number, most: number) =>
  trimmed.default(String(fallback)).transform((text, context) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    context.addIssue(`"${text}" is not a whole number from ${least} to ${most}`);
    return z.NEVER;
  });

const bytesByUnit: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** A size such as `64m`; a bare number counts bytes. */
export const size = (fallback: string) =>
  trimmed.default(fallback).transform((text, context) => {
    const [, digits, unit] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? [];
    if (digits !== undefined) return Number(digits) * (bytesByUnit[unit?.toLowerCase() ?? ""] ?? 1);
    context.addIssue(`"${text}" is not a size: write 512k, 64m or 2g`);
    return z.NEVER;
  });

export const list = trimmed.default("").transform((text) => text.split(/[\s,]+/).filter(Boolean));

export const flag = z.enum(["true", "false"], { error: "is either true or false" });

export const address = trimmed.default("127.0.0.1:8080").transform((text, context) => {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:\s]*)):(\d{1,5})$/i.exec(text) ?? [];
  if (port !== undefined && Number(port) <= 65_535) {
    return { host: bracketed ?? (plain || "0.0.0.0"), port: Number(port) };
  }
  context.addIssue(`"${text}" is not host:port, such as 127.0.0.1:8080 or [::1]:8080`);
  return z.NEVER;
});

export const targetUrl = trimmed.default("http://127.0.0.1:11434").transform((text, context) => {
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

/** Where an API is, with or without its /v1; answered with it, and without a slash at its end. */
export const baseUrl = trimmed.transform((text, context) => {
  const url = URL.parse(text);
  const isPlain = url?.search === "" && !url.hash && url.username === "" && url.password === "";
  if (url && /^https?:$/.test(url.protocol) && isPlain) {
    const base = (url.origin + url.pathname).replace(/\/+$/, "");
    return base.endsWith("/v1") ? base : `${base}/v1`;
  }
  // The value is not repeated: it may hold a password.
  context.addIssue("is not an http(s) URL without a query, such as https://api.example.com/v1");
  return z.NEVER;
});

export const quantum = trimmed.default("32/120s").transform((text, context) => {
  const [, jobs, time] = /^(\d{1,6})\s*\/\s*(\d+[a-z]+)$/.exec(text) ?? [];
  const ms = time === undefined ? NaN : parseDuration(time as StringValue);
  if (Number(jobs) > 0 && ms > 0) return { jobs: Number(jobs), ms };
  context.addIssue(`"${text}" is not jobs/duration, such as 32/120s`);
  return z.NEVER;
});

/** Where webhooks may go: see `parseAllowedHost`. */
export const allowedHosts = list.transform((entries, context) =>
  entries.flatMap((entry) => {
    const host = parseAllowedHost(entry);
    if (typeof host !== "string") return [host];
    context.addIssue(`"${entry}" ${host}`);
    return [];
  }),
);

export const path = trimmed.min(1, { error: "is empty" }).optional();

/** For names that other programs share: left empty there, they are not set. */
export const blankable = <Kind extends z.ZodType>(kind: Kind) =>
  z.preprocess((value) => (/^\s*$/.test(String(value)) ? undefined : value), kind.optional());
