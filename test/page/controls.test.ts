/** What operators do on the page: each lever is pulled in a real browser, and foreman obeys. */
import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { startForeman } from "../support/start-foreman.ts";
import { startSim } from "../support/start-sim.ts";
import { until } from "../support/until.ts";
import { browserForTests, hasBrowser, seriousFindings } from "./page-scene.ts";

const qwen = "qwen3.6:35b-a3b";
const hostile = '<img/src=x onerror="document.title=1">:7b';
const llama = "llama3.2:latest";
const shape = { tokenMs: 2, tokens: 4, loadMs: 20 };
/** Ollama lists any name that a manifest's folder has, and runs only what its rules allow. */
const models = [qwen, llama, hostile].map((name) => ({ name, ...shape }));
const messages = [{ role: "user", content: "Which follow-ups are overdue?" }];
const long = "[[tokens=90000]]";

const see = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** By the keyboard alone, as somebody without a mouse would. */
const press = async (lever: Locator) => await lever.press("Enter");

const named = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true, disabled: false });

function asker(url: string) {
  const ask = async (method: string, path: string, body?: object) =>
    await fetch(url + path, { method, ...(body && { body: JSON.stringify(body) }) });
  return {
    status: async (path: string, body: object) => (await ask("POST", path, body)).status,
    get: async <T>(path: string) => (await (await ask("GET", path)).json()) as T,
    post: async <T>(path: string, body: object) =>
      (await (await ask("POST", path, body)).json()) as T,
  };
}

describe.skipIf(!hasBrowser)("the page's controls", { timeout: 90_000 }, () => {
  const look = browserForTests();

  test("drain, take up again, slots, load and unload, by keyboard; recorded", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const { get, status } = asker(foreman.url);
    const { errors, page } = await look(`${foreman.url}/foreman/#/controls`);

    await press(named(page, "Drain …"));
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    expect(await status("/api/chat", { model: qwen, messages })).toBe(200);
    await press(named(page, "Drain …"));
    await press(named(page, "Drain"));
    await see(page, "No new work is taken, since");
    expect(await status("/api/chat", { model: qwen, messages })).toBe(503);
    await press(named(page, "Take new work again"));
    await see(page, "Taken.");
    expect(await status("/api/chat", { model: qwen, messages })).toBe(200);

    await press(named(page, "One slot more"));
    await see(page, "2 slots from now on.");
    await press(named(page, "One slot less"));
    await see(page, "1 slot from now on.");
    expect(await get("/foreman/status")).toMatchObject({ slots: 1 });
    // Before the status can have told of the first.
    for (let n = 0; n < 3; n += 1) await press(named(page, "One slot more"));
    await see(page, "4 slots from now on.");
    expect(await get("/foreman/status")).toMatchObject({ slots: 4 });
    for (let n = 0; n < 3; n += 1) await press(named(page, "One slot less"));
    await see(page, "1 slot from now on.");
    await expect.poll(() => page.getByLabel("Slots", { exact: true }).textContent()).toBe("1");

    await page.getByLabel("Class").selectOption("interactive");
    await page.getByLabel("Note").fill("until noon");
    await press(named(page, "Pause …"));
    await press(named(page, "Pause"));
    await named(page, "Resume").waitFor();
    expect(await get("/foreman/status")).toMatchObject({ paused: [{ class: "interactive" }] });
    await press(named(page, "Resume"));
    await see(page, "It goes on.");
    expect(await get("/foreman/status")).toMatchObject({ paused: [] });

    await page.getByLabel("Load").selectOption(hostile);
    await press(named(page, "Load"));
    await see(page, /Ollama has no model/);
    await press(named(page, "Dismiss"));
    await page.getByLabel("Load").selectOption(llama);
    await press(named(page, "Load"));
    await see(page, `${llama} is loaded when its turn comes.`);
    await page.getByRole("link", { name: "Now" }).press("Enter");
    await press(named(page, `Unload ${llama}`));
    await page.getByRole("heading", { name: `Unload ${llama}?` }).waitFor();
    await press(named(page, "Unload it"));
    await see(page, "Done: unload it.");
    await until("it has left", async () => {
      const { models: loaded } = await get<{ models: { name: string }[] }>("/api/ps");
      return !loaded.some(({ name }) => name === llama);
    });

    await page.getByRole("link", { name: "Controls" }).press("Enter");
    const did = page.getByRole("table", { name: "What operators did" });
    for (const what of ["drain on", "drain off", "slots 4", `load ${llama}`]) {
      await did.getByText(what, { exact: true }).waitFor();
    }
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("controls · foreman");
    expect(errors).toEqual([]);
  });

  test("switch a provider and a model of it, and change the order, by keyboard", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    const { get } = asker(foreman.url);
    const llm = "/api/runtime/llm/providers";
    const orderOf = async () => (await get<{ order: string[] | null }>(`${llm}/order`)).order;
    const { errors, page } = await look(`${foreman.url}/foreman/#/controls`, { theme: "light" });
    const providerIn = (line: number) =>
      page.getByRole("table", { name: "Providers" }).locator("tbody tr").nth(line);

    await see(page, "foreman's rule decides");
    await press(named(page, "Ask ollama earlier"));
    await see(page, "An operator set the order");
    expect(await orderOf()).toEqual(["ollama", "nemoclaw", "deterministic_fallback"]);
    await providerIn(0).getByText("ollama").waitFor();
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
    await until("the focus went along", async () => (await focused()) === "Ask ollama later");
    await page.keyboard.press("Enter");
    await providerIn(1).getByText("ollama").waitFor();
    await until("it did again", async () => (await focused()) === "Ask ollama later");
    await press(named(page, "Back to the rule"));
    await see(page, "foreman's rule decides");
    expect(await orderOf()).toBeNull();

    await press(named(page, "Switch off ollama"));
    await press(named(page, "Switch it off"));
    await named(page, "Switch on ollama").waitFor();
    expect(await get(llm)).toMatchObject({ providers: [{}, { id: "ollama", enabled: false }, {}] });
    await press(named(page, "Switch on ollama"));
    await see(page, "ollama is on.");
    await page.getByRole("checkbox", { name: llama }).press("Space");
    await see(page, `${llama} of ollama is off.`);
    const switched = { enabled: true, models_off: [llama] };
    expect(await get(llm)).toMatchObject({ providers: [{}, switched, {}] });

    const did = page.getByRole("table", { name: "What operators did" });
    for (const what of ["ollama off", "ask as the rule decides", `ollama ${llama} off`]) {
      await did.getByText(what, { exact: true }).waitFor();
    }
    expect(await page.locator("img").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("shows the beginning of a long request, and how long it is", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    const { post } = asker(foreman.url);
    await post("/foreman/pause", {});
    const content = `It begins so. ${"ü".repeat(100_000)} It ends so.`;
    const body = { model: qwen, messages: [{ role: "user", content }] };
    const { job_id: id } = await post<{ job_id: string }>("/jobs", body);
    const { errors, page } = await look(`${foreman.url}/foreman/#/jobs/${id}`);

    await see(page, "the first 66 kB of 200 kB");
    const shown = (await page.locator("pre").textContent()) ?? "";
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(65_536);
    expect(JSON.stringify(body)).toContain(shown);
    expect(errors).toEqual([]);
  });

  test("tries failed items again, and rejects a result", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url);
    const { get, post } = asker(foreman.url);
    const llm = "/api/runtime/llm";
    const { job_id: id } = await post<{ job_id: string }>(`${llm}/batch`, {
      ...{ provider: "deterministic_fallback", job_type: "plans", requires_approval: true },
      items: ["no JSON", "[]"].map((content, i) => ({
        ...{ request_id: `plan ${i}`, messages, response_format: "json", fallback: { content } },
      })),
    });
    const { errors, page } = await look(`${foreman.url}/foreman/#/batches/${id}`);

    await press(named(page, "Retry failed"));
    await see(page, "The failed items wait again.");
    const failures = async () =>
      (await get<{ today: { items: { failed: number } } }>("/foreman/status")).today.items.failed;
    await until("it failed again", async () => (await failures()) === 2);
    await press(named(page, "Reject plan 1"));
    await see(page, "plan 1 is rejected.");
    const rejected = await get<{ results: object[] }>(
      `${llm}/jobs/${id}/results?approval=rejected`,
    );
    expect(rejected.results).toMatchObject([{ request_id: "plan 1" }]);
    expect(errors).toEqual([]);
  });

  test("says in its headline that Ollama is away, what is paused, and what failed", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url, { FOREMAN_POLL_INTERVAL: "100ms" });
    const { post, status } = asker(foreman.url);
    const { errors, page } = await look(`${foreman.url}/foreman/`);
    await see(
      page,
      "Nothing runs; nobody waits. Within a day no job and no item of a batch failed.",
    );
    const unset = { provider: "nemoclaw", messages };
    expect(await status("/api/runtime/llm/chat", unset)).toBeGreaterThanOrEqual(500);
    await post("/foreman/pause", { class: "batch" });
    await sim.down();

    const paused = "Batch work is paused. Ollama is away; 1 runtime chat failed within a day.";
    await page.getByRole("heading", { name: paused }).waitFor();
    await page.getByText("Work waits for it.").waitFor();
    await page.getByText("1 runtime chat; Controls has each provider's last error.").waitFor();
    expect(errors).toEqual([]);
  });

  test("I7 a hostile model's name is text, and axe finds nothing in either theme", async () => {
    const sim = await startSim({ models });
    const foreman = await startForeman(sim.url, { FOREMAN_DRAIN_TIMEOUT: "10ms" });
    const { get, post } = asker(foreman.url);
    const submit = async (body: object) =>
      (await post<{ job_id: string }>("/jobs", { model: qwen, ...body })).job_id;
    const running = await submit({ messages: [{ role: "user", content: `${hostile}${long}` }] });
    const waiting = await submit({ messages, priority: "batch" });
    await post("/foreman/pause", { class: "batch", model: qwen, note: hostile });
    const { job_id: batch } = await post<{ job_id: string }>("/api/runtime/llm/batch", {
      ...{ provider: "deterministic_fallback", job_type: hostile },
      items: [{ request_id: "<b onclick=alert(1)>", messages, fallback: { content: hostile } }],
    });
    await until("it runs", async () => {
      const { running: runs } = await get<{ running: { tokens: number }[] }>("/foreman/status");
      return (runs[0]?.tokens ?? 0) > 0;
    });
    const found: string[] = [];

    for (const theme of ["dark", "light"] as const) {
      const { errors, page } = await look(`${foreman.url}/foreman/`, { theme });
      const judge = async (room: string) => {
        const findings = await seriousFindings(page);
        found.push(...findings.map((finding) => `${theme}, ${room}: ${finding}`));
        expect([room, await page.locator("img").count()]).toEqual([room, 0]);
        expect([room, await page.title()]).toEqual([room, expect.stringContaining("foreman")]);
      };
      await see(page, "Unload");
      await see(page, hostile);
      await see(page, `Batch work on ${qwen} is paused.`);
      await judge("now");
      for (const [room, sign] of [
        [`jobs/${running}`, `<img/src=x onerror=\\"document.title=1\\">:7b${long}`],
        [`jobs/${waiting}`, "place 1 in its line"],
        [`batches/${batch}`, hostile],
        ["history", "Last hour"],
        ["controls", `pause batch ${qwen}`],
      ] as const) {
        await page.goto(`${foreman.url}/foreman/#/${room}`);
        await see(page, sign);
        await judge(room);
      }
      for (const room of ["Jobs", "Batches"]) {
        await page.getByRole("link", { name: room, exact: true }).press("Enter");
        await page.getByRole("table", { name: room }).waitFor();
        await judge(room);
      }
      await page.goto(`${foreman.url}/foreman/#/jobs/${running}`);
      await named(page, "Cancel").click();
      await page.getByRole("dialog").getByText("Cancel this job?").waitFor();
      await judge("dialog");
      await page.keyboard.press("Escape");
      expect(errors).toEqual([]);
    }
    expect(found).toEqual([]);
  });
});
