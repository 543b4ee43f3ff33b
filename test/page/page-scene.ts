/** A browser that looks at a running foreman's page: Debian's chromium, one for all tests. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** False on a machine without chromium, where its tests are skipped; in CI that is a failure. */
export const hasBrowser = existsSync(executablePath) || process.env.CI === "true";

/** Set, the journeys write the pictures of docs/. */
const picturesFolder = process.env.FOREMAN_PICTURES ?? null;

type Look = {
  readonly theme?: "dark" | "light";
  readonly width?: number;
  readonly height?: number;
};

/** Starts the browser for the tests of a file; `look` opens a page whose errors fail the test. */
export function browserForTests() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  }, 60_000);
  afterAll(() => browser.close());
  return async (url: string, { theme = "dark", width = 1_280, height = 860 }: Look = {}) => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      deviceScaleFactor: 1,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      // A refused policy is told on the console alone.
      if (/Content Security Policy|TrustedHTML/i.test(message.text())) errors.push(message.text());
    });
    onTestFinished(() => context.close());
    await page.goto(url);
    return { page, errors };
  };
}

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What axe holds to be serious or worse. Its script comes in by the debugger, past the policy. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run(document)")) as {
    violations: { impact: string; id: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

/** Takes a picture for docs/, where that is asked for. */
export async function picture(page: Page, name: string): Promise<void> {
  if (picturesFolder !== null) await page.screenshot({ path: `${picturesFolder}/${name}.png` });
}
