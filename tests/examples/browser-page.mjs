// A page of an example in a real browser, with the problems that it reports.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { launch } from "../e2e/browser.mjs";
import { VirtualAuthenticator } from "../e2e/login-page.mjs";

const AXE = readFileSync(createRequire(import.meta.resolve("../e2e/browser.mjs")).resolve("axe-core/axe.min.js"), "utf8");

const ended = [];
let browser;

after(async () => {
  for (const end of ended) await end();
  await browser?.close();
});

/** Serves an example as it was built, with `backend` behind it, until the tests have ended. Resolves to its address. */
export async function serve(example, backend) {
  const root = fileURLToPath(new URL(`../../examples/${example}/`, import.meta.url));
  const { preview } = await import(pathToFileURL(createRequire(`${root}package.json`).resolve("vite")));
  // The example's own configuration reads it.
  process.env.BACKEND = backend;
  const server = await preview({ root, logLevel: "silent", preview: { port: 41_730 } });
  ended.push(() => server.close());
  return server.resolvedUrls.local[0];
}

/** Runs `use` on a page with a device that has passkeys; fails if the page reports a problem that `expected` does not fit. */
export async function onPage(url, use, { expected = /(?!)/ } = {}) {
  browser ??= await launch();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
    const authenticator = await VirtualAuthenticator.add(page);
    await page.goto(url);
    await use(page, authenticator);
    assert.deepEqual(problems.filter((problem) => !expected.test(problem)), []);
  } finally {
    await context.close();
  }
}

/** Nothing that axe knows of stands in anybody's way. */
export async function assertAccessible(page) {
  // Evaluated by the browser's debugger, which the page's Content-Security-Policy does not bind.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
}

export const button = (page, name) => page.getByRole("button", { name });
export const heading = (page, name) => page.getByRole("heading", { name });
/** Waits until a screen reader would say so. */
export const says = (page, role, text) => page.getByRole(role).filter({ hasText: text }).first().waitFor();

export async function until(condition) {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${condition}`);
    await new Promise((later) => setTimeout(later, 50));
  }
}
