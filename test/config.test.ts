import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { ForemanError } from "../src/errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What an operator is told of these settings; null when they are taken. */
function complaint(env: Environment): string | null {
  try {
    readConfig(env);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(ForemanError);
    expect(error).toMatchObject({ code: "config_invalid" });
    return (error as ForemanError).message;
  }
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "foreman-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "secret"), text);
  return join(folder, "secret");
}

const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 0xfb).toString("base64")}`;

/** For each setting: values that it takes, at its limits, and values beyond or of no sense. */
const values: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
  FOREMAN_ADDR: {
    good: ["127.0.0.1:0", "[::1]:65535", "localhost:8080", " 127.8.8.8:1 "],
    bad: ["8080", "127.0.0.1", "127.0.0.1:65536", "::1:8080", "a b:1", "", "http://127.0.0.1:1"],
  },
  FOREMAN_OLLAMA_URL: {
    good: ["http://gpu:11434", "https://gpu/", "http://[::1]:1"],
    bad: [
      "gpu:11434",
      "ftp://gpu",
      "http://gpu/v1",
      "http://gpu/?a",
      "http://u@gpu",
      "",
      "http://",
    ],
  },
  FOREMAN_OLLAMA_TOKEN: { good: ["s3cret"], bad: ["", "  "] },
  FOREMAN_OLLAMA_TOKEN_FILE: { good: [], bad: ["", "/nowhere/token"] },
  FOREMAN_DISK_FLOOR: { good: ["0", "128m"], bad: ["", "-1", "10%"] },
  FOREMAN_DB: { good: ["/var/lib/foreman.db"], bad: ["", " "] },
  FOREMAN_POLL_INTERVAL: { good: ["100ms", "1h"], bad: ["99ms", "0", "30", "soon", ""] },
  FOREMAN_EMBED_MODEL: { good: ["nomic-embed-text"], bad: ["", " "] },
  FOREMAN_EMBED_CONCURRENCY: { good: ["1", "10000"], bad: ["0", "10001", "1.5", "-1", "", "0x10"] },
  FOREMAN_CHAT_SLOTS: { good: ["1", "256"], bad: ["0", "257", "two", "1e2"] },
  FOREMAN_KEEP_ALIVE: {
    good: ["300", "-1", "0", "5m", "1h30m", "-1m", "1.5h"],
    bad: ["", "forever", "5 m", "5d", "+5m"],
  },
  FOREMAN_QUEUE_MAX: { good: ["1", "1000000"], bad: ["0", "1000001", "many"] },
  FOREMAN_QUEUE_BYTES_MAX: { good: ["1g", "64M", "512"], bad: ["1t", "-1", "1.5g", "", "g"] },
  FOREMAN_EVENT_STREAMS_MAX: { good: ["0", "1000000"], bad: ["1000001", "-1", "all", ""] },
  FOREMAN_QUEUE_TIMEOUT: { good: ["0", "1ms", "24d"], bad: ["25d", "-1s", "5", "5 parsecs"] },
  FOREMAN_STALL_TIMEOUT: { good: ["0", "10m"], bad: ["25d", "10", "m"] },
  FOREMAN_RUN_TIMEOUT: { good: ["0", "2h"], bad: ["25d", "0.5ms"] },
  FOREMAN_KEEPALIVE_AFTER: { good: ["0", "240s"], bad: ["240", "25d"] },
  FOREMAN_SWAP_QUANTUM: {
    good: ["32/120s", "1/1ms", "8 / 2m"],
    bad: ["32", "0/120s", "32/0s", "32/120", "/120s", "32/x", ""],
  },
  FOREMAN_MAX_ATTEMPTS: { good: ["1", "100"], bad: ["0", "101"] },
  FOREMAN_JOB_TTL: { good: ["1s", "365d"], bad: ["1", "for ever"] },
  FOREMAN_BATCH_TTL: { good: ["1s", "365d"], bad: ["1", "for ever"] },
  FOREMAN_DRAIN_TIMEOUT: { good: ["30s"], bad: ["30", "25d"] },
  FOREMAN_ANSWER_MAX: { good: ["1", "16m"], bad: ["", "16mb"] },
  FOREMAN_PREEMPT_WITHIN: { good: ["0", "20s"], bad: ["20", "25d"] },
  FOREMAN_BODY_MAX: { good: ["1", "2g"], bad: ["", "2gb", "-2g"] },
  FOREMAN_TOKEN: { good: ["s3cret"], bad: ["", " "] },
  FOREMAN_TOKEN_FILE: { good: [], bad: ["", "/nowhere/token"] },
  FOREMAN_TOKENS_FILE: { good: ["/etc/foreman/tokens.json"], bad: ["", " "] },
  FOREMAN_INSECURE: { good: ["true", "false"], bad: ["1", "yes", "TRUE", ""] },
  FOREMAN_ALLOWED_HOSTS: { good: ["", "a.test, b.test"], bad: [] },
  FOREMAN_ORIGINS: { good: ["", "https://a.test,*.b.test"], bad: ["a.test", "**", "http://a,b"] },
  NEMOCLAW_API_URL: {
    good: ["https://api.test", "http://127.0.0.1:9/v1/", "https://api.test/openai/v1", "", " "],
    bad: ["api.test", "ftp://api.test", "https://api.test/v1?key=1", "https://u:p@api.test", "v1"],
  },
  NEMOCLAW_API_KEY: { good: ["", " "], bad: ["two words", "s3cret"] },
  NEMOCLAW_API_KEY_FILE: { good: [""], bad: ["/nowhere/key"] },
  NEMOCLAW_MODELS: { good: ["", "nemotron, remote_default"], bad: [] },
  FOREMAN_NEMOCLAW_CONCURRENCY: { good: ["1", "1000"], bad: ["0", "1001", ""] },
  FOREMAN_NEMOCLAW_TIMEOUT: { good: ["1ms", "24d"], bad: ["0", "10", "25d"] },
  FOREMAN_REPAIR_ATTEMPTS: { good: ["0", "10"], bad: ["-1", "11", "two", ""] },
  FOREMAN_ROUTE_LARGE_TOKENS: { good: ["1", "1000000000"], bad: ["0", "8k", ""] },
  FOREMAN_WEBHOOK_ALLOW: {
    good: ["", "hooks.test", "localhost:3000, *.hooks.test:8443 10.0.0.7:*", "[::1]:9000"],
    bad: ["*", "https://hooks.test", "hooks.test/x", "hooks.test:0", "::1", "u@hooks.test"],
  },
  FOREMAN_WEBHOOK_SECRET: {
    good: ["s3cret", whsec(24), whsec(64), whsec(32).replace(/=+$/, "")],
    bad: ["", "a b", "whsec_", whsec(23), whsec(65), "whsec_not-in-base64-not-in-base64-not"],
  },
  FOREMAN_WEBHOOK_SECRET_FILE: { good: [], bad: ["", "/nowhere/secret"] },
  FOREMAN_REQUIRED_MODELS: {
    good: ["", "qwen3.6:35b-a3b, nomic-embed-text", "hf.co/a/b:Q4_K_M"],
    bad: ["a/b/c/d/e", "gpt-oss:120b-cloud", "m:"],
  },
  FOREMAN_MODELS_FILE: { good: [], bad: ["", "/nowhere/models.json"] },
  FOREMAN_MODEL_CACHE: { good: ["/var/lib/foreman/models"], bad: ["", " "] },
  FOREMAN_URL: { good: ["http://gpu-box:8080", ""], bad: [] },
  FOREMAN_CLIENT_TOKEN: { good: ["s3cret", ""], bad: [] },
  FOREMAN_LOG_LEVEL: { good: ["trace", "silent"], bad: ["loud", "INFO", ""] },
};

const cases = (kind: "good" | "bad") =>
  Object.entries(values).flatMap(([name, of]) => of[kind].map((value) => [name, value] as const));

describe("the settings", () => {
  test("P7: are all tried here", () => {
    const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
    const names = [...example.matchAll(/^#? ?((?:FOREMAN|NEMOCLAW)_\w+)=/gm)].map(
      ([, name]) => name,
    );

    expect(Object.keys(values).toSorted()).toEqual(names.toSorted());
  });

  test.each(cases("good"))("P7: %s takes %j", (name, value) => {
    expect(complaint({ [name]: value })).toBeNull();
  });

  test.each(cases("bad"))("P7: %s refuses %j, and the message names it", (name, value) => {
    expect(complaint({ [name]: value })).toContain(name);
  });

  test("P7: may all be missing: one Ollama on this machine, served to this machine", () => {
    expect(readConfig({})).toMatchObject({
      listen: { host: "127.0.0.1", port: 8080 },
      isLoopbackOnly: true,
      targetOrigin: "http://127.0.0.1:11434",
      databaseFile: "data/foreman.db",
      pollIntervalMs: 30_000,
      chatSlots: 1,
      waitMsMax: 0,
      runLimits: { stallMsMax: 600_000, runMsMax: 0, attemptsMax: 3 },
      swapQuantum: { jobs: 32, ms: 120_000 },
      jobTtlMs: 86_400_000,
      batchTtlMs: 30 * 86_400_000,
      bodyBytesMax: 256 * 2 ** 20,
      inboundToken: null,
      webhookAllow: [],
      webhookKey: null,
      logLevel: "info",
    });
  });

  test("P7: are as .env.example says when it is taken as it stands", () => {
    const example = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
    const lines = [...example.matchAll(/^((?:FOREMAN|NEMOCLAW)_\w+)=(.*)$/gm)];

    const given = readConfig(Object.fromEntries(lines.map(([, name, value]) => [name, value])));

    expect(given).toEqual(readConfig({}));
  });

  test("P7: of an unknown name are an error, so that a typo does not go unnoticed", () => {
    const message = complaint({ FOREMAN_QUEUE_MAXX: "1", FOREMAN_PORT: "1", PATH: "/bin" });

    expect(message).toContain("FOREMAN_QUEUE_MAXX");
    expect(message).toContain("FOREMAN_PORT");
    expect(message).not.toContain("PATH");
  });

  test("P7: are all complained of at once, a line each", () => {
    const message = complaint({ FOREMAN_CHAT_SLOTS: "0", FOREMAN_BODY_MAX: "x", FOREMAN_X: "1" });

    for (const name of ["FOREMAN_CHAT_SLOTS", "FOREMAN_BODY_MAX", "FOREMAN_X"]) {
      expect(message?.split("\n").filter((line) => line.includes(name))).toHaveLength(1);
    }
  });

  test("P7: of any text either work or are refused by name, and nothing else happens", () => {
    const name = fc.constantFrom(...Object.keys(values).filter((each) => !each.endsWith("_FILE")));

    fc.assert(
      fc.property(name, fc.string({ unit: "binary" }), (setting, text) => {
        const message = complaint({ FOREMAN_INSECURE: "true", [setting]: text });
        expect(message === null || message.includes(setting)).toBe(true);
      }),
    );
  });

  test("cannot be changed after they were read", () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });
});

describe("the hosted endpoint", () => {
  const nemoclawOf = (env: Environment) => readConfig(env).nemoclaw;

  test.each([
    ["https://api.test", "https://api.test/v1"],
    ["https://api.test/", "https://api.test/v1"],
    ["https://api.test/v1", "https://api.test/v1"],
    ["https://api.test/v1/", "https://api.test/v1"],
    ["https://api.test:8443/openai", "https://api.test:8443/openai/v1"],
  ])("at %s is asked at %s", (NEMOCLAW_API_URL, baseUrl) => {
    expect(nemoclawOf({ NEMOCLAW_API_URL })?.baseUrl).toBe(baseUrl);
  });

  test("is not there without a URL, whatever else is set", () => {
    expect(nemoclawOf({})).toBeNull();
    expect(nemoclawOf({ NEMOCLAW_API_URL: "", NEMOCLAW_MODELS: "a" })).toBeNull();
  });

  test("has its key from a setting or from a file, and not from both", () => {
    const env = { NEMOCLAW_API_URL: "https://api.test" };
    const NEMOCLAW_API_KEY_FILE = fileWith("s3cret\n");

    expect(nemoclawOf(env)?.key).toBeNull();
    expect(nemoclawOf({ ...env, NEMOCLAW_API_KEY: "s3cret" })?.key).toBe("s3cret");
    expect(nemoclawOf({ ...env, NEMOCLAW_API_KEY_FILE })?.key).toBe("s3cret");
    expect(complaint({ ...env, NEMOCLAW_API_KEY: "s", NEMOCLAW_API_KEY_FILE })).toContain(
      "NEMOCLAW_API_KEY and NEMOCLAW_API_KEY_FILE",
    );
  });

  test("A4: a URL with a password in it is refused without being repeated", () => {
    const message = complaint({ NEMOCLAW_API_URL: "https://me:s3cret@api.test" });

    expect(message).toContain("NEMOCLAW_API_URL");
    expect(message).not.toContain("s3cret");
  });

  test("leaves alone what other programs call NEMOCLAW_", () => {
    expect(complaint({ NEMOCLAW_RETRIES: "many" })).toBeNull();
  });
});

describe("the models file", () => {
  const withFile = (document: unknown, env: Environment = {}) => {
    const FOREMAN_MODELS_FILE = fileWith(JSON.stringify(document));
    return { FOREMAN_REQUIRED_MODELS: "m", FOREMAN_MODELS_FILE, ...env };
  };
  const s3 = [{ url: "s3://models/a/m.gguf", sha256: "AB".repeat(32) }];

  test("says where required models come from; one that it does not name is pulled", () => {
    const document = { models: { m: { local: "/nvme/m.gguf", pull: false, s3 } } };
    const env = { FOREMAN_REQUIRED_MODELS: "m,n", FOREMAN_MODEL_CACHE: "/cache" };

    const { requiredModels } = readConfig(withFile(document, env));

    const artifact = { bucket: "models", key: "a/m.gguf", fileName: "m.gguf" };
    expect(requiredModels).toMatchObject([
      {
        ...{ name: "m", local: "/nvme/m.gguf", mayPull: false },
        artifacts: [{ ...artifact, sha256: "ab".repeat(32) }],
      },
      { name: "n", local: null, mayPull: true, artifacts: [] },
    ]);
  });

  test.each([
    [{ models: { m: { local: "/m", from: "x" } } }, "from"],
    [{ models: { m: { s3: [{ url: "https://models/m.gguf" }] } } }, "s3://bucket/key"],
    [{ models: { m: { s3: [{ url: "s3://models" }] } } }, "s3://bucket/key"],
    [{ models: { m: { s3: [{ url: "s3://models/a/.." }] } } }, "s3://bucket/key"],
    [{ models: { m: { s3: [{ url: "s3://b/k", sha256: "ab" }] } } }, "64 hex digits"],
    [{ models: { m: { s3 } } }, "FOREMAN_MODEL_CACHE"],
    [{ models: { m: { pull: false } } }, '"m"'],
    [{ m: {} }, "models"],
  ])("%j is refused, saying why", (document, why) => {
    const message = complaint(withFile(document));

    expect(message).toContain("FOREMAN_MODELS_FILE");
    expect(message).toContain(why);
  });
});

describe("the place of the database", () => {
  test.each([
    [{ STATE_DIRECTORY: "/var/lib/foreman" }, "/var/lib/foreman/foreman.db"],
    [{ STATE_DIRECTORY: "/var/lib/foreman", FOREMAN_DB: "/x/y.db" }, "/x/y.db"],
  ])("with %j is %s", (env, file) => {
    expect(readConfig(env).databaseFile).toBe(file);
  });
});

describe("a secret", () => {
  test.each(["FOREMAN_TOKEN", "FOREMAN_OLLAMA_TOKEN", "FOREMAN_WEBHOOK_SECRET"])(
    "P7: %s may stand in a file, without its last newline",
    (name) => {
      const config = readConfig({ [`${name}_FILE`]: fileWith("s3cret\n") });

      const { inboundToken, outboundToken, webhookKey } = config;
      expect([inboundToken, outboundToken, webhookKey?.toString()]).toContain("s3cret");
    },
  );

  test.each(["FOREMAN_TOKEN", "FOREMAN_OLLAMA_TOKEN", "FOREMAN_WEBHOOK_SECRET"])(
    "P7: %s given twice is an error, for nobody knows which counts",
    (name) => {
      const message = complaint({ [name]: "s3cret", [`${name}_FILE`]: fileWith("other") });

      expect(message).toContain(`${name} and ${name}_FILE`);
      expect(message).not.toContain("s3cret");
    },
  );

  test("P7: in an empty file is an error that names the setting and the file", () => {
    const file = fileWith(" \n");

    const message = complaint({ FOREMAN_TOKEN_FILE: file });

    expect(message).toContain("FOREMAN_TOKEN_FILE");
    expect(message).toContain(file);
  });
});

describe("an address that other machines reach", () => {
  const wide = ["0.0.0.0:8080", ":8080", "[::]:8080", "192.168.1.5:8080", "gpu.lan:8080"];

  test.each(wide)("A6: %s without a token is refused, saying what to set", (FOREMAN_ADDR) => {
    const message = complaint({ FOREMAN_ADDR });

    expect(message).toContain("FOREMAN_ADDR");
    expect(message).toContain("FOREMAN_TOKEN");
    expect(message).toContain("FOREMAN_INSECURE=true");
  });

  test.each(wide)("A6: %s is served with a token, or to everyone if that is said", (address) => {
    const env = { FOREMAN_ADDR: address };

    expect(complaint({ ...env, FOREMAN_TOKEN: "s3cret" })).toBeNull();
    expect(complaint({ ...env, FOREMAN_TOKEN_FILE: fileWith("s3cret") })).toBeNull();
    expect(complaint({ ...env, FOREMAN_TOKENS_FILE: "/etc/tokens.json" })).toBeNull();
    expect(complaint({ ...env, FOREMAN_INSECURE: "true" })).toBeNull();
    expect(complaint({ ...env, FOREMAN_INSECURE: "false" })).not.toBeNull();
    expect(complaint({ ...env, FOREMAN_OLLAMA_TOKEN: "s3cret" })).not.toBeNull();
  });

  test.each(["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"])(
    "A6: %s is no such address",
    (FOREMAN_ADDR) => {
      expect(readConfig({ FOREMAN_ADDR }).isLoopbackOnly).toBe(true);
    },
  );
});
