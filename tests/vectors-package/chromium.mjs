// The published vectors through the built package in Chromium, on a page that may do as little as the
// package needs. The last line says how many.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

import { launch } from "../e2e/browser.mjs";
import { covered } from "./index.mjs";

const ROOT = new URL("../../", import.meta.url);
const MEDIA_TYPES = { ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const PAGE = '<!doctype html><script type="module" src="page.js"></script>';
const SCRIPT = `
  import * as gridkey from "/pkg/index.js";
  import { run } from "/tests/vectors-package/run.js";
  const read = async (file) => (await fetch("/tests/vectors/" + file)).json();
  globalThis.ran = gridkey.init().then(() => run(gridkey, read));`;

const server = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  const answer = (type, body) => response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
  if (pathname === "/") return answer("text/html", PAGE);
  if (pathname === "/page.js") return answer("text/javascript", SCRIPT);
  const isPublic = /^\/(pkg|tests\/vectors(-package)?)\//.test(pathname);
  const file = isPublic && (await readFile(new URL(`.${pathname}`, ROOT)).catch(() => undefined));
  return file ? answer(MEDIA_TYPES[extname(pathname)], file) : response.writeHead(404).end();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const browser = await launch();
try {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.waitForFunction(() => globalThis.ran);
  const ran = await page.evaluate(() => globalThis.ran);
  const rows = covered();
  assert.deepEqual(ran, Object.fromEntries(rows.filter((row) => row.inPackage > 0).map(({ file, inPackage }) => [file, inPackage])));
  assert.deepEqual(problems, []);
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  console.log(
    `${sum("inPackage")} vectors of ${Object.keys(ran).length} files through the package; of ${rows.length} files natively, ${sum("natively")} of ${sum("cases")}`,
  );
} finally {
  await browser.close();
  server.close();
}
