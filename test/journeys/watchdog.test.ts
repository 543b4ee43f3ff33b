/** Required models that the target lost, each brought back by the daemon; a real S3 server. */
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startS3 } from "../support/s3-server.ts";
import type { SimOllama } from "../support/sim-ollama/sim-ollama.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import {
  chat,
  folderWith,
  ggufOf,
  sha256Of,
  startWatching,
  statusOf,
  untilBack,
  watched,
} from "../support/watchdog-scene.ts";

const other = { name: "other" };

/** What was asked of the target beside polls and looks at models. */
function asked({ journal }: SimOllama): readonly string[] {
  return journal.events
    .filter(({ kind, path = "" }) => kind === "request" && !polled.test(path))
    .map(({ method, path }) => `${method} ${path}`);
}

const polled = /^\/(api\/(tags|ps|version|show)|v1\/models)$/;

describe("a required model that the target lacks", () => {
  test("is registered from a GGUF file on this machine, by its hash", async () => {
    const sim = await startSim({ models: [other] });
    const bytes = ggufOf();
    const local = join(await folderWith({ "m.gguf": bytes }), "m.gguf");
    const blob = `/api/blobs/sha256:${sha256Of(bytes)}`;

    const foreman = await startWatching(sim.url, { "m:7b": { local } });
    const back = await untilBack(foreman, "m:7b");

    expect(asked(sim)).toEqual([`HEAD ${blob}`, `POST ${blob}`, "POST /api/create"]);
    expect(back.last_back).toMatchObject({ source: "local" });
    expect((await chat(foreman, "m:7b")).status).toBe(200);
    expect(foreman.logged).toContainEqual(
      expect.objectContaining({ msg: "required model brought back", source: "local" }),
    );
  });

  test("is made as its Modelfile says", async () => {
    const sim = await startSim({ models: [other] });
    const local = await folderWith({
      "weights.gguf": ggufOf(),
      Modelfile: 'FROM ./weights.gguf\nPARAMETER num_ctx 2048\nSYSTEM """Be\nbrief."""\n',
    });

    const foreman = await startWatching(sim.url, { m: { local } });
    await untilBack(foreman, "m");

    expect(sim.library.findByText("m")).toMatchObject({
      system: "Be\nbrief.",
      parameters: { num_ctx: 2048 },
    });
  });

  test("is not sent again where the target still has its layers", async () => {
    const sim = await startSim({ models: [other] });
    const bytes = ggufOf();
    sim.library.addBlob(`sha256:${sha256Of(bytes)}`);
    const local = join(await folderWith({ "m.gguf": bytes }), "m.gguf");

    const foreman = await startWatching(sim.url, { m: { local } });
    await untilBack(foreman, "m");

    expect(asked(sim).map((line) => line.slice(0, 10))).toEqual(["HEAD /api/", "POST /api/"]);
  });

  test("is fetched from S3 once: later lives take it from the cache", async () => {
    const [sim, s3] = [await startSim({ models: [other] }), await startS3()];
    const bytes = ggufOf();
    await s3.put("qwen/m.gguf", bytes);
    await s3.put("qwen/Modelfile", "FROM m.gguf\nPARAMETER temperature 0.5\n");
    const cache = await folderWith();
    const settings = { FOREMAN_MODEL_CACHE: cache, AWS_ENDPOINT_URL_S3: s3.url };
    const m = {
      pull: false,
      s3: [
        { url: "s3://models/qwen/m.gguf", sha256: sha256Of(bytes) },
        { url: "s3://models/qwen/Modelfile" },
      ],
    };

    const first = await startWatching(sim.url, { "m:7b": m }, settings);
    const fromBucket = await untilBack(first, "m:7b");
    await first.stop();
    s3.stop();
    sim.library.remove(name("m:7b"));
    const second = await startWatching(sim.url, { "m:7b": m }, settings);
    const fromCache = await untilBack(second, "m:7b");

    expect(fromBucket.last_back?.source).toBe("s3");
    expect(fromCache.last_back?.source).toBe("local");
    expect((await readdir(join(cache, "m_7b"))).toSorted()).toEqual(["Modelfile", "m.gguf"]);
    expect(await readFile(join(cache, "m_7b", "m.gguf"))).toEqual(bytes);
    expect(sim.library.findByText("m:7b")?.parameters).toEqual({ temperature: 0.5 });
  });

  test("is not made of an artifact with another hash, which is not kept either", async () => {
    const [sim, s3] = [await startSim({ models: [other] }), await startS3()];
    await s3.put("m.gguf", ggufOf());
    const cache = await folderWith();
    const s3Source = [{ url: "s3://models/m.gguf", sha256: sha256Of(Buffer.from("other")) }];

    const foreman = await startWatching(
      sim.url,
      { m: { pull: false, s3: s3Source } },
      { FOREMAN_MODEL_CACHE: cache, AWS_ENDPOINT_URL_S3: s3.url },
    );
    await until("it failed", async () => (await watched(foreman, "m")).failures === 1);

    const { problems, state } = await watched(foreman, "m");
    expect(state).toBe("missing");
    expect(problems).toEqual([expect.stringMatching(/^s3: .*sha256 \w{64}, and FOREMAN_MODELS/)]);
    expect(await readdir(join(cache, "m"))).toEqual([]);
    expect(asked(sim)).toEqual([]);
  });

  test("replaces a copy in the cache that was damaged, and a half one of a dead daemon", async () => {
    const [sim, s3] = [await startSim({ models: [other] }), await startS3()];
    const bytes = ggufOf();
    await s3.put("m.gguf", bytes);
    const cache = await folderWith({ "m/m.gguf": "GGUF damaged", "m/m.gguf.part": "GG" });
    const s3Source = [{ url: "s3://models/m.gguf", sha256: sha256Of(bytes) }];

    const foreman = await startWatching(
      sim.url,
      { m: { pull: false, s3: s3Source } },
      { FOREMAN_MODEL_CACHE: cache, AWS_ENDPOINT_URL_S3: s3.url },
    );
    await untilBack(foreman, "m");

    expect(await readdir(join(cache, "m"))).toEqual(["m.gguf"]);
    expect(await readFile(join(cache, "m", "m.gguf"))).toEqual(bytes);
  });

  test("whose server goes in the middle of it is told of so, and leaves no half file", async () => {
    const sim = await startSim({ models: [other] });
    const server = createServer((_, response) => {
      response.writeHead(200, { "Content-Length": "1000000" });
      response.write("GGUF", () => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
      vi.unstubAllEnvs();
    });
    for (const name of ["REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"]) {
      vi.stubEnv(`AWS_${name}`, "us-east-1");
    }
    const cache = await folderWith();

    const foreman = await startWatching(
      sim.url,
      { m: { pull: false, s3: [{ url: "s3://models/m.gguf" }] } },
      {
        FOREMAN_MODEL_CACHE: cache,
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    );
    await until("it failed", async () => (await watched(foreman, "m")).failures === 1, 15_000);

    expect((await watched(foreman, "m")).problems).toEqual([
      "s3: s3://models/m.gguf: the server broke the connection off",
    ]);
    expect(await readdir(join(cache, "m"))).toEqual([]);
  });

  test("does not fill the disk below its floor", async () => {
    const [sim, s3] = [await startSim({ models: [other] }), await startS3()];
    await s3.put("m.gguf", ggufOf());
    const cache = await folderWith();

    const foreman = await startWatching(
      sim.url,
      { m: { pull: false, s3: [{ url: "s3://models/m.gguf" }] } },
      {
        FOREMAN_MODEL_CACHE: cache,
        AWS_ENDPOINT_URL_S3: s3.url,
        FOREMAN_DISK_FLOOR: "900000g",
      },
    );
    await until("it failed", async () => (await watched(foreman, "m")).failures === 1);

    expect((await watched(foreman, "m")).problems[0]).toContain("FOREMAN_DISK_FLOOR");
    expect(await readdir(join(cache, "m"))).toEqual([]);
  });

  test("comes from the nearest source that has it: here the last, and each says why not", async () => {
    const [sim, s3] = [
      await startSim({ models: [other], catalogue: [{ name: "m" }] }),
      await startS3(),
    ];
    const local = await folderWith({ Modelfile: "FROM ./gone.gguf\n" });

    const foreman = await startWatching(
      sim.url,
      { m: { local, s3: [{ url: "s3://models/gone.gguf" }] } },
      { FOREMAN_MODEL_CACHE: await folderWith(), AWS_ENDPOINT_URL_S3: s3.url },
    );
    const { last_back } = await untilBack(foreman, "m");

    expect(last_back?.source).toBe("pull");
    expect(asked(sim)).toEqual(["POST /api/pull"]);
    const told = foreman.logged.filter(({ msg }) => msg === "source failed");
    expect(told.map(({ source }) => source)).toEqual(["local", "s3"]);
    expect(told.map(({ problem }) => problem)).toEqual([
      expect.stringContaining("gone.gguf, which is not there"),
      expect.stringMatching(/gone\.gguf: .*does not exist/),
    ]);
  });

  test("that is pinned is loaded before the backlog is released when the target returns", async () => {
    const sim = await startSim({ models: [other, { name: "m" }], maxLoadedModels: 2 });
    const foreman = await startWatching(sim.url, { m: { pinned: true } });
    await until("it is there", async () => (await statusOf(foreman)).target.presence === "present");
    await sim.down();
    await until("it is away", async () => (await statusOf(foreman)).target.presence === "away");
    const backlog = chat(foreman, "other");
    await until("it waits", async () => (await statusOf(foreman)).waiting.length === 1);
    const before = sim.journal.events.length;

    await sim.up();
    await backlog;

    const loads = sim.journal.events.slice(before).filter(({ kind }) => kind === "load-end");
    expect(loads.map(({ model }) => model)).toEqual(["m:latest", "other:latest"]);
  });

  test("is brought back when the target returns from a reboot without it", async () => {
    const sim = await startSim({ models: [other, { name: "m" }] });
    const local = join(await folderWith({ "m.gguf": ggufOf() }), "m.gguf");
    const foreman = await startWatching(sim.url, { m: { local } });
    await untilBack(foreman, "m");

    await sim.down();
    await until("it is away", async () => (await statusOf(foreman)).target.presence === "away");
    sim.library.remove(name("m"));
    const waiting = chat(foreman, "m");
    await sim.up();

    expect((await waiting).status).toBe(200);
    expect((await watched(foreman, "m")).last_back?.source).toBe("local");
  });
});

const name = (text: string) => {
  const [model = "", tag = "latest"] = text.split(":");
  return { host: "registry.ollama.ai", namespace: "library", model, tag };
};

describe("while a required model is brought back", () => {
  const slow = { pullSteps: 100, pullStepMs: 60, catalogue: [{ name: "m" }], models: [other] };

  test("who asks for it waits, and sees how far it is, instead of a 404", async () => {
    const sim = await startSim(slow);
    const foreman = await startWatching(sim.url, { m: {} });
    const waiting = chat(foreman, "m");
    const reasonOf = async () => (await statusOf(foreman)).waiting[0]?.reason ?? "";
    await until("it says how far", async () => /\d %/.test(await reasonOf()));

    const reason = await reasonOf();
    const job = await fetch(`${foreman.url}/jobs`, {
      method: "POST",
      body: JSON.stringify({ model: "M:latest", messages: [{ role: "user", content: "hi" }] }),
    });

    expect(reason).toMatch(
      /^waits for its model, which the target lacks: being brought back: \d+ %/,
    );
    expect(await watched(foreman, "m")).toMatchObject({ state: "returning", step: "pulling" });
    expect(job.status).toBe(202);
    expect((await waiting).status).toBe(200);
    const { job_id: id } = (await job.json()) as { job_id: string };
    const read = async () => (await (await fetch(`${foreman.url}/jobs/${id}`)).json()) as Job;
    await until("the job is done too", async () => (await read()).state === "done");
  });

  test("it never blocks requests for the models that are there", async () => {
    const sim = await startSim({ ...slow, pullSteps: 1_000 });
    const foreman = await startWatching(sim.url, { m: {} });
    const waiting = new AbortController();
    const forMissing = [1, 2, 3].map(() => askAbortable(foreman.url, waiting.signal));
    await until("they wait", async () => (await statusOf(foreman)).waiting[0]?.depth === 3);

    const present = await Promise.all([1, 2, 3].map(() => chat(foreman, "other")));
    const unknown = await chat(foreman, "unknown");

    expect(present.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(unknown.status).toBe(404);
    expect((await watched(foreman, "m")).state).toBe("returning");
    waiting.abort();
    await Promise.all(forMissing);
  });

  test("those who wait for it take half of the places at most: the others still get in", async () => {
    const sim = await startSim({ ...slow, pullSteps: 1_000 });
    const foreman = await startWatching(sim.url, { m: {} }, { FOREMAN_QUEUE_MAX: "4" });
    const waiting = new AbortController();
    const forMissing = [1, 2].map(() => askAbortable(foreman.url, waiting.signal));
    await until("they wait", async () => (await statusOf(foreman)).waiting[0]?.depth === 2);

    const third = await chat(foreman, "m");
    const present = await Promise.all([1, 2].map(() => chat(foreman, "other")));

    expect(third.status).toBe(503);
    expect(third.headers.get("retry-after")).not.toBeNull();
    expect(present.map(({ status }) => status)).toEqual([200, 200]);
    waiting.abort();
    await Promise.all(forMissing);
  });

  test("it never deletes, loads, unloads or restarts: these requests, and no others", async () => {
    const sim = await startSim({ models: [other], catalogue: [{ name: "p" }] });
    await chat({ url: sim.url } as never, "other");
    const before = sim.journal.events.length;
    const bytes = ggufOf();
    const local = join(await folderWith({ "m.gguf": bytes }), "m.gguf");
    const blob = `/api/blobs/sha256:${sha256Of(bytes)}`;

    const foreman = await startWatching(sim.url, { m: { local }, p: {} });
    await untilBack(foreman, "m");
    await untilBack(foreman, "p");

    const after = sim.journal.events.slice(before);
    const requests = after.filter(
      ({ kind, path = "" }) => kind === "request" && !polled.test(path),
    );
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `HEAD ${blob}`,
      `POST ${blob}`,
      "POST /api/create",
      "POST /api/pull",
    ]);
    const onGpu = after.filter(({ kind }) => /^(load|evict|generate|embed|down|up)/.test(kind));
    expect(onGpu).toEqual([]);
    expect(sim.loaded).toEqual(["other:latest"]);
    expect(sim.library.findByText("other")).not.toBeNull();
  });

  test("it does not make a model anew that somebody else made meanwhile", async () => {
    const sim = await startSim({ models: [other] });
    const bytes = ggufOf();
    const local = join(await folderWith({ "m.gguf": bytes }), "m.gguf");
    const upload = sim.fail({ route: "/api/blobs/:digest", fault: { kind: "stall" } });
    const foreman = await startWatching(sim.url, { m: { local } });
    await until("it sends", () => upload.hitCount > 0);

    sim.library.add({ name: "m", system: "theirs" });
    upload.remove();
    upload.release();
    await until("it is over", async () => (await watched(foreman, "m")).last_back !== null);

    expect(asked(sim)).not.toContain("POST /api/create");
    expect(sim.library.findByText("m")?.system).toBe("theirs");
  });

  test("a drain breaks it off at once, and begins no other", async () => {
    const sim = await startSim({ ...slow, pullSteps: 1_000 });
    const foreman = await startWatching(sim.url, { m: {} });
    await until("it pulls", async () => (await watched(foreman, "m")).step === "pulling");

    const sinceMs = performance.now();
    const orphans = await foreman.stop();

    expect(orphans).toEqual([]);
    expect(performance.now() - sinceMs).toBeLessThan(2_000);
    await until("the target saw it", () => {
      return sim.journal.events.some(({ kind }) => kind === "disconnect");
    });
    expect(asked(sim)).toEqual(["POST /api/pull"]);
  });

  test("that no source has, its requests wait on, and run when an operator mends it", async () => {
    const sim = await startSim({ models: [other] });
    const foreman = await startWatching(sim.url, { m: {} });
    await until("it failed", async () => (await watched(foreman, "m")).failures === 1);
    const waiting = chat(foreman, "m");
    await until("it waits", async () => (await statusOf(foreman)).waiting.length === 1);

    const { waiting: lines } = await statusOf(foreman);
    const { next_try_ms, problems } = await watched(foreman, "m");
    sim.library.add({ name: "m" });

    expect(lines[0]?.reason).toMatch(/not brought back \(pull: .*file does not exist\); tried/);
    expect(problems).toEqual([expect.stringContaining("file does not exist")]);
    expect(next_try_ms).toBeGreaterThan(50_000);
    expect((await waiting).status).toBe(200);
  });
});

test("who waits for a lost model is told no time of start, though its runs were measured", async () => {
  const sim = await startSim({ models: [other, { name: "m" }] });
  const foreman = await startWatching(sim.url, { m: {} });
  expect((await chat(foreman, "m")).status).toBe(200);
  sim.library.remove(name("m"));
  await until("it is missed", async () => (await watched(foreman, "m")).state === "missing");

  const waiting = chat(foreman, "m");
  await until("it waits", async () => (await statusOf(foreman)).waiting[0]?.reason != null);
  const { waiting: lines } = await statusOf(foreman);
  sim.library.add({ name: "m" });

  expect(lines).toMatchObject([
    { reason: expect.stringContaining("waits for its model"), eta_ms: null },
  ]);
  expect((await waiting).status).toBe(200);
});

type Job = { readonly state: string };

async function askAbortable(url: string, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });
  await fetch(`${url}/api/chat`, { method: "POST", body, signal }).catch(() => {});
}
