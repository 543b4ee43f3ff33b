import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { onTestFinished, vi } from "vitest";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const script = fileURLToPath(import.meta.resolve("s3rver/bin/s3rver.js"));

/** The one account that the server knows; it checks signatures. */
const account = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

export type S3Server = {
  readonly url: string;
  put(key: string, body: Buffer | string): Promise<void>;
  stop(): void;
};

/**
 * A server that speaks S3, as a process of its own, with the bucket `models`; the environment says
 * where it is, as an operator would. Ended with the test.
 */
export async function startS3(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "foreman-s3-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const options = ["-a", "127.0.0.1", "-p", String(port), "-d", folder, "--silent"];
  const child = spawn(process.execPath, [script, ...options, "--configure-bucket", "models"], {
    stdio: "ignore",
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", account.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", account.secretAccessKey);
  await until(
    "S3 answers",
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    15_000,
  );
  const client = new S3Client({ endpoint: url, forcePathStyle: true });
  return {
    url,
    put: async (Key, Body) => {
      await client.send(new PutObjectCommand({ Bucket: "models", Key, Body }));
    },
    stop: () => void child.kill("SIGKILL"),
  };
}
