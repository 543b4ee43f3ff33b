import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isInstalled } from "./child.ts";

/** Where a gateway listens, what it stands in front of, and for which models. */
type Place = {
  /** A folder of its own. */
  readonly folder: string;
  readonly port: number;
  readonly targetPort: number;
  readonly models: readonly string[];
};

type Launch = {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** Other people's gateways: how each is set up in front of one Ollama, and how it is asked. */
export type Gateway = {
  readonly name: string;
  /** Names its program where PATH has none of this name. */
  readonly variable: string;
  readonly program: string;
  readonly chatPath: string;
  /** Null: it has no embeddings. */
  readonly embedPath: string | null;
  /** How it wants a model to be called that the target calls `name`. */
  readonly modelNamed: (name: string) => string;
  readonly headers: (place: Pick<Place, "targetPort">) => Readonly<Record<string, string>>;
  /** How the user is told to it for whom a request is; no header where it knows none. */
  readonly userHeader: string | null;
  /** Writes its configuration. */
  readonly launch: (place: Place) => Launch;
};

const plainly = (name: string) => name;
const none = () => ({});
const openai = { chatPath: "/v1/chat/completions", embedPath: "/v1/embeddings" } as const;

const ollamaMQ: Gateway = {
  ...{ name: "ollamaMQ", variable: "BENCH_PEER_OLLAMAMQ", program: "ollamaMQ" },
  ...{ chatPath: "/api/chat", embedPath: "/api/embed", userHeader: "X-User-ID" },
  ...{ modelNamed: plainly, headers: none },
  launch: ({ folder, port, targetPort }) => {
    const file = written(
      join(folder, "appconf.yaml"),
      `backends: ["http://127.0.0.1:${targetPort}"]
settings: { port: ${port}, host: 127.0.0.1, request_log_path: ${folder}/requests.jsonl }
`,
    );
    return { args: ["--no-tui", "-c", file] };
  },
};

/** Without its limits of requests a minute: what it does with one is measured. */
const olla: Gateway = {
  ...{ name: "olla", variable: "BENCH_PEER_OLLA", program: "olla" },
  ...{ chatPath: "/olla/ollama/api/chat", embedPath: "/olla/ollama/api/embed" },
  ...{ modelNamed: (name) => `${name}:latest`, headers: none, userHeader: null },
  launch: ({ folder, port, targetPort }) => {
    const file = written(
      join(folder, "config.yaml"),
      `server:
  host: "127.0.0.1"
  port: ${port}
  request_logging: false
  rate_limits:
    global_requests_per_minute: 0
    per_ip_requests_per_minute: 0
    per_endpoint: { default_requests_per_minute: 0 }
proxy: { engine: "olla", profile: "streaming", load_balancer: "priority" }
discovery:
  type: "static"
  static:
    endpoints:
      - url: "http://127.0.0.1:${targetPort}"
        name: "bench"
        type: "ollama"
        priority: 100
        model_url: "/api/tags"
        health_check_url: "/"
        check_interval: 30s
        check_timeout: 10s
logging: { level: "error", format: "json" }
`,
    );
    return { args: ["-c", file], env: { OLLA_FILE_OUTPUT: "false" } };
  },
};

/** It starts servers itself; one that runs already is a peer of its own kind to it. */
const llamaSwap: Gateway = {
  ...{ name: "llama-swap", variable: "BENCH_PEER_LLAMA_SWAP", program: "llama-swap" },
  ...{ ...openai, modelNamed: plainly, headers: none, userHeader: null },
  launch: ({ folder, models, port, targetPort }) => {
    const file = written(
      join(folder, "config.yaml"),
      `logLevel: error
peers:
  bench:
    proxy: http://127.0.0.1:${targetPort}
    models: [${models.join(", ")}]
`,
    );
    return { args: ["-config", file, "-listen", `127.0.0.1:${port}`] };
  },
};

const liteLlm: Gateway = {
  ...{ name: "LiteLLM", variable: "BENCH_PEER_LITELLM", program: "litellm" },
  ...{ ...openai, modelNamed: plainly, headers: none, userHeader: null },
  launch: ({ folder, models, port, targetPort }) => {
    const base = `api_base: "http://127.0.0.1:${targetPort}"`;
    const entries = models.map((name) => {
      const kind = name.includes("embed") ? "ollama" : "ollama_chat";
      return `  - { model_name: ${name}, litellm_params: { model: ${kind}/${name}, ${base} } }\n`;
    });
    const file = written(join(folder, "config.yaml"), `model_list:\n${entries.join("")}`);
    const address = ["--host", "127.0.0.1", "--port", String(port)];
    return {
      args: ["--config", file, ...address, "--num_workers", "1", "--telemetry", "False"],
      env: {
        LITELLM_LOCAL_MODEL_COST_MAP: "True",
        LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: "true",
      },
    };
  },
};

/** It listens on every address; a preload keeps it to this machine. */
const portkey: Gateway = {
  ...{ name: "Portkey", variable: "BENCH_PEER_PORTKEY", program: "portkey-gateway" },
  ...{ ...openai, modelNamed: plainly, userHeader: null },
  headers: ({ targetPort }) => ({
    "x-portkey-provider": "ollama",
    "x-portkey-custom-host": `http://127.0.0.1:${targetPort}`,
  }),
  launch: ({ port }) => ({
    args: [`--port=${port}`, "headless"],
    env: {
      TRUSTED_CUSTOM_HOSTS: "127.0.0.1",
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "listen-on-loopback.ts")}`,
    },
  }),
};

const llmQueue: Gateway = {
  ...{ name: "llm-queue", variable: "BENCH_PEER_LLM_QUEUE", program: "llm-queue" },
  ...{ ...openai, embedPath: null, modelNamed: plainly, headers: none, userHeader: null },
  launch: ({ models, port, targetPort }) => ({
    args: ["serve"],
    env: {
      PORT: String(port),
      HOST: "127.0.0.1",
      OLLAMA_URL: `http://127.0.0.1:${targetPort}`,
      OLLAMA_MODEL: models[0] ?? "",
    },
  }),
};

export const gateways: readonly Gateway[] = [ollamaMQ, olla, llamaSwap, liteLlm, portkey, llmQueue];

/** The program of a gateway: what its variable names, else its name if PATH has it; else null. */
export function programOf({ program, variable }: Gateway): string | null {
  return process.env[variable] ?? (isInstalled(program) ? program : null);
}

/** Stands in for a gateway where foreman or the target itself is asked. */
export const asOllama: Pick<
  Gateway,
  "chatPath" | "embedPath" | "modelNamed" | "headers" | "userHeader"
> = {
  ...{ chatPath: "/api/chat", embedPath: "/api/embed", modelNamed: plainly, headers: none },
  userHeader: "X-OpenWebUI-User-Id",
};

function written(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}
