/**
 * The same as velocity_backend.py, as a Node service would do it, with nothing but fetch.
 *
 *   node velocity-backend.mjs http://127.0.0.1:8080
 */
import { setTimeout as delay } from "node:timers/promises";

const [, , baseUrl] = process.argv;
const model = "qwen3.6:35b-a3b";
const patienceMs = 60_000;

const tell = (event, facts) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);

/** Asks again while foreman is away, or breaks off. */
async function ask(method, path, { body, headers } = {}) {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      const answer = await fetch(`${baseUrl}/api/runtime/llm${path}`, {
        method,
        headers: { "content-type": "application/json", ...headers },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.ok) return text;
      if (answer.status < 500) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
    }
    if (performance.now() > deadline) throw new Error(`${method} ${path}: nobody answers`);
    await delay(100);
  }
}

const askJson = async (...call) => JSON.parse(await ask(...call));

async function pages(jobId) {
  const results = [];
  let after = 0;
  while (after !== null) {
    const page = await askJson("GET", `/jobs/${jobId}/results?after=${after}&limit=5`);
    results.push(...page.results);
    after = page.next;
  }
  return results;
}

const alike = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const { providers } = await askJson("GET", "/providers");
tell("providers", { ids: providers.map(({ id }) => id).sort() });

const answer = await askJson("POST", "/chat", {
  body: {
    provider: "ollama",
    model,
    system_prompt: "You are Oracle Planner.",
    messages: [{ role: "user", content: "Build a CRM pipeline view for high-intent NRI buyers." }],
    temperature: 0.2,
    response_format: "json",
  },
});
tell("chat", {
  provider: answer.provider,
  is_json: alike(answer.json, JSON.parse(answer.content)),
});

const batch = {
  body: {
    provider: "ollama",
    model,
    job_type: "oracle_canvas_planning",
    items: Array.from({ length: 12 }, (_, number) => ({
      request_id: `req_${String(number).padStart(3, "0")}`,
      messages: [{ role: "user", content: `Show overdue follow-ups, part ${number}.` }],
      response_format: "json",
    })),
  },
  headers: { "Idempotency-Key": "nightly plan" },
};
let job = await askJson("POST", "/batch", batch);
tell("submitted", { job_id: job.job_id, count: job.submitted_count });

while (!["completed", "failed", "cancelled"].includes(job.status)) {
  await delay(50);
  job = await askJson("GET", `/jobs/${job.job_id}`);
}
const again = await askJson("POST", "/batch", batch);
const results = await pages(job.job_id);
const lines = await ask("GET", `/jobs/${job.job_id}/results`, {
  headers: { accept: "application/x-ndjson" },
});
const one = await askJson("GET", `/jobs/${job.job_id}/results/req_003`);
tell("done", {
  status: job.status,
  counts: [job.submitted_count, job.completed_count, job.failed_count],
  is_same_job: again.job_id === job.job_id,
  request_ids: results.map(({ request_id: id }) => id),
  are_json: results.every(({ content, json }) => alike(json, JSON.parse(content))),
  are_lines_alike: alike(lines.trimEnd().split("\n").map(JSON.parse), results),
  is_one_alike: alike(one, results[3]),
});
