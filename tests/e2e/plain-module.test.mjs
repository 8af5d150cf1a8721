// The package in a page without a bundler: served as it is, imported by <script type="module">.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import test, { after, before } from "node:test";

import { launch } from "./browser.mjs";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const MEDIA_TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const PAYLOAD = '{"type":"ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2","memo":"naïve — 日本"}';
const PAGE = `<!doctype html>
<title>plain</title>
<link rel="icon" href="data:,">
<script type="module">
  import { init, SessionKey } from "./pkg/index.js";
  await init();
  const key = SessionKey.generate();
  globalThis.stamp = await key.dangerouslyStampUnchecked(${JSON.stringify(PAYLOAD)});
  globalThis.publicKey = key.publicKey;
  key.free();
  document.title = "stamped";
</script>`;

let server;
let browser;

before(async () => {
  server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const file = pathname === "/" ? PAGE : await readFile(new URL(`.${pathname.replace(/^\/pkg/, "")}`, PACKAGE)).catch(() => undefined);
    const type = MEDIA_TYPES[pathname === "/" ? ".html" : extname(pathname)];
    if (file === undefined || type === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { "content-type": `${type}${type.startsWith("text/") ? "; charset=utf-8" : ""}` }).end(file);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("a plain module signs a payload", async () => {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.waitForFunction(() => document.title === "stamped", undefined, { timeout: 15_000 }).catch((error) => {
    assert.fail([...problems, error.message].join("\n"));
  });
  const { stamp, publicKey } = await page.evaluate(() => ({ stamp: globalThis.stamp, publicKey: globalThis.publicKey }));
  assert.deepEqual(problems, []);

  const { publicKey: stamped, scheme, signature } = JSON.parse(Buffer.from(stamp, "base64url").toString());
  assert.equal(stamped, publicKey);
  assert.equal(scheme, "SIGNATURE_SCHEME_TK_API_P256");
  assert.ok(verify("sha256", Buffer.from(PAYLOAD), p256(publicKey), Buffer.from(signature, "hex")), "the signature is of this payload");
  assert.ok(!verify("sha256", Buffer.from(`${PAYLOAD} `), p256(publicKey), Buffer.from(signature, "hex")), "and of no other");
});

/** SubjectPublicKeyInfo (RFC 5480) of a compressed P-256 key. */
function p256(compressedHex) {
  const der = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${compressedHex}`, "hex");
  return createPublicKey({ key: der, format: "der", type: "spki" });
}
