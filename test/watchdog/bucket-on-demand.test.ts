/** What a daemon without a bucket reads: the modules, as node itself tells them. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const script = `
  import { registerHooks } from "node:module";
  const read = [];
  registerHooks({ load: (url, context, next) => (read.push(url), next(url, context)) });
  await import("./src/daemon.ts");
  await import("./src/foreman.ts");
  const before = [...read];
  await import("@aws-sdk/client-s3").catch(() => {});
  console.log(JSON.stringify([before, read]));
`;

test("the S3 client is not read by a daemon that needs no bucket", () => {
  const cwd = new URL("../..", import.meta.url);

  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd,
  });

  const [before = [], after = []] = JSON.parse(printed) as string[][];
  const ofAmazon = (urls: readonly string[]) => urls.filter((url) => /@(aws-sdk|smithy)/.test(url));
  expect(before.some((url) => url.endsWith("/watchdog/fetch-artifact.ts"))).toBe(true);
  expect(ofAmazon(before)).toEqual([]);
  expect(ofAmazon(after).length).toBeGreaterThan(0);
});
