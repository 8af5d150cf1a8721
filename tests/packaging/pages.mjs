// Pages of the projects: served over HTTP, opened in Chromium.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { launch } from "../e2e/browser.mjs";

const MEDIA_TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves a directory as it is while `body` runs, which gets the address and the files that were asked for. */
export async function serving(directory, headers, body) {
  const served = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const type = MEDIA_TYPES[extname(path)];
    const content = type && (await readFile(join(directory, path)).catch(() => undefined));
    if (!content) return response.writeHead(404).end();
    served.set(path, content);
    return response.writeHead(200, { ...headers, "content-type": type }).end(content);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await body(`http://localhost:${server.address().port}`, () => [...served].map(([name, content]) => ({ name, content })));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

let browser;

export async function closeBrowser() {
  await browser?.close();
}

/** What the page's script came to: what it gave, or the `code` and message of its error. */
export async function open(url, { problems: allowed = [] } = {}) {
  browser ??= await launch();
  // A context of its own, in which nothing is cached or registered.
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = [];
  const responses = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    // No page here has an icon, and Chromium asks for one.
    const isOfIcon = message.location().url.endsWith("/favicon.ico");
    if (["error", "warning"].includes(message.type()) && !isOfIcon) problems.push(message.text());
  });
  page.on("requestfailed", (request) => problems.push(`${request.url()}: ${request.failure().errorText}`));
  page.on("response", (response) => responses.push(response));
  try {
    await page.goto(url);
    await page.waitForFunction(() => Boolean(globalThis.outcome), undefined, { timeout: 60_000 }).catch(() => {
      assert.fail([`${url} gives no outcome`, ...problems].join("\n"));
    });
    const { outcome, error } = await page.evaluate(() =>
      globalThis.outcome.then(
        (outcome) => ({ outcome }),
        (error) => ({ error: { code: error.code, message: error.message } }),
      ),
    );
    const unexpected = problems.filter((problem) => !allowed.some((pattern) => pattern.test(problem)));
    assert.deepEqual(unexpected, [], `problems in the page${error ? `, which failed with ${error.message}` : ""}`);
    const files = responses.map(async (response) => ({ name: new URL(response.url()).pathname, content: await response.body() }));
    return { outcome, error, files: await Promise.all(files) };
  } finally {
    await context.close();
  }
}

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
