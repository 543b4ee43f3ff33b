import { renameSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { KillScene } from "../support/kill-scene.ts";
import { until } from "../support/until.ts";

type BatchView = {
  readonly job_id: string;
  readonly status: string;
  readonly completed_count: number;
  readonly failed_count: number;
};

async function scene(settings: Readonly<Record<string, string>> = {}) {
  const killScene = await KillScene.open({ tokenMs: 10, tokens: 4 }, settings);
  await killScene.boot();
  const llm = `${killScene.url}/api/runtime/llm`;
  const submit = async (items: number) => {
    const body = JSON.stringify({
      ...{ provider: "ollama", model: "llama3.2", job_type: "reviews" },
      items: Array.from({ length: items }, (_, i) => ({
        request_id: `${i}`,
        messages: [{ role: "user", content: `item ${i}` }],
      })),
    });
    const answer = await fetch(`${llm}/batch`, { method: "POST", body });
    return { status: answer.status, told: (await answer.json()) as Record<string, unknown> };
  };
  const view = async (id: unknown) =>
    (await (await fetch(`${llm}/jobs/${id}`)).json()) as BatchView;
  return { folder: dirname(killScene.file), submit, view };
}

describe("D3 while the folder of the database is gone", () => {
  test("a batch waits for it to come back, and fails no item", async () => {
    const { folder, submit, view } = await scene();
    const { told } = await submit(80);
    await until("it runs", async () => (await view(told.job_id)).completed_count > 0);

    renameSync(folder, `${folder}.away`);
    await delay(4_000);
    renameSync(`${folder}.away`, folder);
    await until("it ends", async () => (await view(told.job_id)).status === "completed", 25_000);

    expect(await view(told.job_id)).toMatchObject({ completed_count: 80, failed_count: 0 });
  }, 60_000);

  test("no batch is acknowledged", async () => {
    const { folder, submit } = await scene();

    renameSync(folder, `${folder}.away`);
    const refused = await submit(3);
    renameSync(`${folder}.away`, folder);

    expect(refused).toMatchObject({ status: 503, told: { code: "storage_lost" } });
    expect((await submit(3)).status).toBe(202);
  });
});

test("D2 below the disk's floor no batch is acknowledged", async () => {
  const { submit } = await scene({ FOREMAN_DISK_FLOOR: "1000000g" });

  expect(await submit(3)).toMatchObject({ status: 507, told: { code: "storage_full" } });
});
