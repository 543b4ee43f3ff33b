import { wallMsOf } from "../../clock.ts";
import type { Config } from "../../config.ts";
import { tagsReply, versionReply } from "../../wire/ollama.ts";
import { reasonOf } from "../client/refusal.ts";
import { jsonOf } from "../json-of.ts";
import { durationText } from "../output/duration-text.ts";
import type { Shell } from "../shell.ts";
import type { Finding } from "./finding.ts";

/** An Ollama that is there answers its version in milliseconds. */
const answerMsMax = 5_000;

/** A Date header has whole seconds, and NTP keeps a machine within far less. */
const skewMsMax = 2_000;

/** Ollama as the daemon would see it from here: reachable, its version, its models, its clock. */
export async function checkTarget(config: Config, shell: Shell): Promise<readonly Finding[]> {
  const { outboundToken, targetOrigin } = config;
  const headers = outboundToken === null ? {} : { authorization: `Bearer ${outboundToken}` };
  const ask = async (path: string, body?: string) => {
    const signal = AbortSignal.timeout(answerMsMax);
    const more = body === undefined ? {} : { method: "POST", body };
    const init: RequestInit = { headers, signal, redirect: "manual", ...more };
    const answer = await fetch(targetOrigin + path, init);
    return { status: answer.status, date: answer.headers.get("date"), text: await answer.text() };
  };
  try {
    const version = await ask("/api/version");
    const parsed = versionReply.safeParse(jsonOf(version.text));
    if (!parsed.success) return [noOllama(targetOrigin, version.status)];
    const tags = tagsReply.safeParse(jsonOf((await ask("/api/tags")).text));
    const names = tags.success ? tags.data.models.map(({ name }) => name) : [];
    const lacked: string[] = [];
    for (const model of wantedModels(config)) {
      // Ollama knows its spellings of one name best.
      const { status } = await ask("/api/show", JSON.stringify({ model }));
      if (status === 404) lacked.push(model);
    }
    return [
      {
        level: "ok",
        subject: "target",
        found: `Ollama ${parsed.data.version} at ${targetOrigin}`,
        remedy: null,
      },
      modelsFinding(names, lacked),
      clockFinding(version.date, shell.clock.wallMs()),
    ];
  } catch (cause) {
    return [unreachableFinding(config, reasonOf(cause))];
  }
}

function unreachableFinding({ isTargetHere, targetOrigin }: Config, reason: string): Finding {
  return {
    level: "fault",
    subject: "target",
    found: `${targetOrigin} cannot be reached (${reason})`,
    remedy: isTargetHere
      ? "start Ollama (`systemctl start ollama`, or `ollama serve`), or correct FOREMAN_OLLAMA_URL"
      : "on that machine start Ollama with OLLAMA_HOST=0.0.0.0 and look at the firewall between; " +
        "or correct FOREMAN_OLLAMA_URL",
  };
}

function noOllama(origin: string, status: number): Finding {
  return {
    level: "fault",
    subject: "target",
    found: `${origin} answers, but not as Ollama does (HTTP ${status})`,
    remedy:
      status === 401 || status === 403
        ? "set FOREMAN_OLLAMA_TOKEN to what the proxy before Ollama wants"
        : "correct FOREMAN_OLLAMA_URL; it must not be foreman's own address",
  };
}

/** What foreman is told to have there. */
function wantedModels({ embedModel, requiredModels }: Config): ReadonlySet<string> {
  return new Set([...requiredModels.map(({ name }) => name), ...(embedModel ? [embedModel] : [])]);
}

function modelsFinding(names: readonly string[], lacked: readonly string[]): Finding {
  const remedy =
    lacked.length > 0
      ? "`ollama pull` it, or correct its name; foreman brings required ones back by itself"
      : "`ollama pull llama3.2`, or another";
  const isOk = names.length > 0 && lacked.length === 0;
  return {
    level: isOk ? "ok" : "warning",
    subject: "models",
    found: [`${names.length} models`, ...lacked.map((name) => `${name} is missing`)].join(", "),
    remedy: isOk ? null : remedy,
  };
}

function clockFinding(date: string | null, nowMs: number): Finding {
  const theirs = date === null ? null : wallMsOf(date);
  if (theirs === null) {
    const found = "the target tells no time";
    return { level: "unknown", subject: "clock", found, remedy: null };
  }
  // The header was cut to its second; its middle is the best guess.
  const skewMs = Math.abs(nowMs - theirs - 500);
  const isOff = skewMs > skewMsMax;
  return {
    level: isOff ? "warning" : "ok",
    subject: "clock",
    found: isOff
      ? `${durationText(skewMs)} apart from the target's`
      : "with the target's, to a second or two",
    remedy: isOff ? "`timedatectl set-ntp true` on the machine that is wrong" : null,
  };
}
