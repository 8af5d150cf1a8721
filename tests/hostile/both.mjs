// Runs cases in Node, and then in a page of Chromium that is served this repository.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import test, { after } from "node:test";

import { launch } from "../e2e/browser.mjs";

const ROOT = new URL("../../", import.meta.url);
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
/** A case that takes longer hangs. */
const LIMIT_MS = 600_000;

/** The cases of `<suite>.cases.mjs`, each once in Node and once in the page, which has settings of its own. Prints what they counted. */
export async function runBoth(suite, settings, inPage = {}) {
  const { apply, counted, names, run } = await casesOf(suite);
  apply(settings);
  for (const name of names()) test(`${name}, in Node`, async () => assert.equal(await run(name), undefined));

  const server = await serve();
  const browser = await launch();
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.setDefaultTimeout(LIMIT_MS);
  await page.goto(`http://localhost:${server.address().port}/tests/hostile/page`);
  await page.evaluate(
    async ([suite, settings]) => {
      const { casesOf } = await import("/tests/hostile/cases-of.mjs");
      globalThis.cases = await casesOf(suite);
      globalThis.cases.apply(settings);
    },
    [suite, { ...settings, ...inPage }],
  );
  // There are some that need a page.
  for (const name of await page.evaluate(() => globalThis.cases.names())) {
    test(`${name}, in Chromium`, async () => {
      problems.length = 0;
      assert.equal(await page.evaluate((name) => globalThis.cases.run(name), name), undefined);
      assert.deepEqual(problems, [], "nobody catches these");
    });
  }
  after(async () => {
    const there = await page.evaluate(() => globalThis.cases.counted());
    await browser.close();
    server.close();
    const all = counted();
    const kinds = new Set([...Object.keys(all), ...Object.keys(there)]);
    const words = [...kinds].map((what) => `${(all[what] ?? 0).toLocaleString("en")} + ${(there[what] ?? 0).toLocaleString("en")} ${what}`);
    // `cargo xtask` looks for this line.
    console.log(`in Node.js + Chromium: ${words.join(", ")}`);
  });
}

const { casesOf } = await import("./cases-of.mjs");

async function serve() {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    if (pathname === "/tests/hostile/page") return response.writeHead(200, { "content-type": "text/html" }).end('<!doctype html><title>Tests</title><link rel="icon" href="data:,">');
    const file = /^\/(pkg|tests|docs|src)\//.test(pathname) && (await readFile(new URL(`.${pathname}`, ROOT)).catch(() => undefined));
    return response.writeHead(file ? 200 : 404, { "content-type": TYPES[extname(pathname)] ?? "text/plain" }).end(file || undefined);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
