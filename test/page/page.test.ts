/**
 * The page in a real browser, before a running foreman and a simulated Ollama: what an operator sees
 * and does. FOREMAN_PICTURES=docs/pictures has the journeys write the pictures of docs/ as well.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hashOf, newToken } from "../../src/access/new-token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { RawClient } from "../support/raw-client.ts";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { browserForTests, hasBrowser, picture, seriousFindings } from "./page-scene.ts";
import { startPrefixProxy } from "./prefix-proxy.ts";

const qwen = "qwen3.6:35b-a3b";
const hostile = '<img src=x onerror="document.title=1">';
const messages = [{ role: "user", content: "Which follow-ups are overdue?" }];
const long = [{ role: "user", content: "[[tokens=5000]]" }];
const gb = 1_000_000_000;
const models = [
  { name: qwen, tokenMs: 12, tokens: 4, loadMs: 60, sizeBytes: 21.4 * gb },
  { name: "gemma3:12b", tokenMs: 2, tokens: 8, loadMs: 40, sizeBytes: 8.1 * gb },
  { name: "llama3.2", tokenMs: 2, tokens: 8, loadMs: 30, sizeBytes: 2 * gb },
];

const post = async (url: string, body: object, headers: Record<string, string> = {}) =>
  (await (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json()) as {
    readonly job_id: string;
  };

const batchOf = (count: number) => ({
  ...{ provider: "deterministic_fallback", job_type: "crm_followups", requires_approval: true },
  items: Array.from({ length: count }, (_, i) => ({
    ...{ request_id: `req_${String(i).padStart(3, "0")}`, messages },
    ...(i === 3 ? { response_format: "json" } : {}),
    fallback: { content: i === 3 ? "no JSON" : `${hostile} is answer ${i}` },
  })),
});

const see = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

const rows = (page: Page, count: number) =>
  until(`${count} rows`, async () => (await page.locator("tbody tr").count()) === count);

describe.skipIf(!hasBrowser)("the page", { timeout: 60_000 }, () => {
  const look = browserForTests();

  test("I7 shows what runs, who waits and why, as text, while it changes; and cancels", async () => {
    const sim = await startSim({ models, vramBytes: 24 * gb });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "200ms" });
    const chat = `${foreman.url}/api/chat`;
    for (const model of ["llama3.2", qwen, "gemma3:12b"]) {
      await (
        await fetch(chat, { method: "POST", body: JSON.stringify({ model, messages }) })
      ).text();
    }
    const { errors, page } = await look(`${foreman.url}/foreman`);
    await see(page, "Nothing runs");
    expect(new URL(page.url()).pathname).toBe("/foreman/");

    const { job_id: id } = await post(`${foreman.url}/jobs`, { model: qwen, messages: long });
    await see(page, /\d\.\d tok\/s/);
    for (const [client, model] of [
      ["ada", qwen],
      [hostile, "gemma3:12b"],
      ["bob", "llama3.2"],
    ] as const) {
      const headers = { "X-OpenWebUI-User-Id": client };
      await post(`${foreman.url}/jobs`, { model, messages }, headers);
    }
    for (let i = 0; i < 24; i += 1) {
      await post(`${foreman.url}/jobs`, { model: qwen, messages, priority: "batch" });
    }
    await see(page, "27 jobs in 4 lines");
    await see(page, `user:${hostile}`);
    await see(page, /swap/);
    await picture(page, "page-dark");
    expect(await seriousFindings(page)).toEqual([]);

    await page.getByRole("link", { name: qwen }).first().click();
    await see(page, "What became of it");
    await see(page, /^working$/);
    await see(
      page,
      '{"model":"qwen3.6:35b-a3b","messages":[{"role":"user","content":"[[tokens=5000]]"',
    );
    await page.getByRole("button", { name: "Cancel" }).press("Enter");
    await page.getByRole("button", { name: "Cancel the job" }).press("Enter");
    await see(page, "cancelled");
    await page.reload();
    await see(page, /has ended, and its request \(\d+ bytes, sha256 \w{64}\) is kept no longer/);
    const job = await (await fetch(`${foreman.url}/jobs/${id}`)).json();
    expect(job).toMatchObject({ state: "cancelled" });

    await until("all has run", async () => {
      const seen = await (await fetch(`${foreman.url}/healthz`)).json();
      return (seen as { queue: { waiting: number } }).queue.waiting === 0;
    });
    await page.goto(`${foreman.url}/foreman/#/jobs?state=cancelled`);
    await page.locator("tbody").getByText("cancelled", { exact: true }).waitFor();
    await rows(page, 1);
    await page.getByLabel("state").selectOption("done");
    await page.getByLabel("client").fill(`user:${hostile}`);
    await page.getByLabel("client").press("Enter");
    await rows(page, 1);
    expect(await page.title()).toBe("jobs · foreman");
    expect(await page.locator("img").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("batches: what waits and what failed of them, causes, approval, download", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    const llm = `${foreman.url}/api/runtime/llm`;
    const { job_id: id } = await post(`${llm}/batch`, batchOf(60));
    const { errors, page } = await look(`${foreman.url}/foreman/#/batches`, { theme: "light" });
    await page.getByRole("link", { name: /crm_followups/ }).click();
    await see(page, /^completed$/);
    await page.getByLabel("show").selectOption("failed");
    await see(page, "invalid_output");
    await rows(page, 1);
    await page.getByLabel("show").selectOption("pending");
    await page.getByRole("button", { name: "Approve req_001" }).click();
    await see(page, "req_001 is approved.");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download JSONL" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`batch-${id}.jsonl`);
    await page.getByLabel("show").selectOption("all");
    await see(page, "req_000");
    await picture(page, "page-batch");
    expect(await seriousFindings(page)).toEqual([]);
    const approved = await (await fetch(`${llm}/jobs/${id}/results?approval=approved`)).json();
    expect((approved as { results: object[] }).results).toHaveLength(1);

    await page.getByRole("link", { name: "Now" }).click();
    await see(page, "1 item of a batch failed within a day.");
    await page.getByRole("listitem").getByText("of 60 items: 1 failed.").waitFor();
    const aside = page.getByRole("link", { name: "1 item of a batch", exact: true });
    expect(await aside.getAttribute("href")).toBe("#/batches");
    const items = batchOf(100).items.map((item) => ({ ...item, messages: long }));
    const large = { provider: "ollama", model: qwen, job_type: "nightly", items };
    const { job_id: nightly } = await post(`${llm}/batch`, large);
    await see(page, /^1 runs on qwen3.6:35b-a3b; 99 wait/);
    await see(page, "68 more items of 1 batch wait");
    await post(`${llm}/jobs/${nightly}/cancel`, {});
    await see(page, /^Nothing runs; nobody waits/);
    expect(errors).toEqual([]);
  });

  test("behind a prefix: login, what each scope sees, levers, and a broken line", async () => {
    const sim = await startSim({ models });
    const file = join(mkdtempSync(join(tmpdir(), "foreman-page-")), "tokens.json");
    const [ann, root] = (["user", "admin"] as const).map((scope) => {
      const token = newToken();
      addToken(file, { name: scope === "user" ? "ann" : "root", hash: hashOf(token), scope });
      return token;
    });
    const foreman = await startForeman(sim.url, { FOREMAN_TOKENS_FILE: file });
    const proxy = await startPrefixProxy(foreman.port);
    const { errors, page } = await look(`${proxy.url}/foreman/`, { width: 390, theme: "light" });
    const comeIn = async (token = "") => {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Come in" }).click();
    };
    expect(await seriousFindings(page)).toEqual([]);
    await comeIn("wrong");
    await see(page, "foreman does not know this token");
    await comeIn(ann);
    await page.getByRole("link", { name: "Controls" }).click();
    await see(page, "Your token is a user's");
    expect(await page.getByRole("button", { name: /Pause|Drain|Switch/ }).count()).toBe(0);
    await page.setViewportSize({ width: 1_000, height: 800 });
    await page.getByRole("button", { name: "Leave" }).click();
    await comeIn(root);
    await page.setViewportSize({ width: 390, height: 844 });

    await page.getByLabel("Class").selectOption("batch");
    await page.getByRole("button", { name: "Pause …" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await page.getByRole("button", { name: "One slot more" }).click();
    await see(page, "2 slots from now on.");
    expect(await seriousFindings(page)).toEqual([]);
    const client = new RawClient(foreman.port);
    client.post("/api/chat", { model: qwen, messages: long }, [`Authorization: Bearer ${root}`]);
    await page.getByRole("link", { name: "Now" }).click();
    await see(page, /tok\/s/);
    await picture(page, "page-phone");
    const sides = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
    const [contentPx, screenPx] = (await page.evaluate(sides)) as number[];
    expect(contentPx).toBe(screenPx);

    proxy.cut();
    await see(page, /No word from foreman/);
    proxy.mend();
    await page.getByRole("button", { name: "Ask now" }).click();
    await see(page, /^live$/);
    expect(await page.getByText(/No word/).count()).toBe(0);
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("img", { name: "Last values: done 0, failed 0" }).waitFor();
    await page.locator(".plot canvas").first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(errors).toEqual([]);
    client.leave();
  });
});
