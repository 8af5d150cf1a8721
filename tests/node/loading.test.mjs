// Loading, in the order in which it goes wrong for people: nothing loaded, everything that is no
// WebAssembly, and at last the real thing.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import test, { after, before } from "node:test";

import * as gridkey from "../../pkg/node.js";
import { failure, thrown } from "./failure.mjs";

const WASM = await readFile(new URL("../../pkg/wasm/gridkey_bg.wasm", import.meta.url));
const HTML = "\n<!doctype html><title>Not found</title>";

let server;
let base;

before(async () => {
  const answers = {
    "/good": [200, { "content-type": "application/wasm" }, WASM],
    "/octets": [200, { "content-type": "application/octet-stream" }, WASM],
    "/html": [200, { "content-type": "text/html" }, HTML],
    "/html-as-wasm": [200, { "content-type": "application/wasm" }, HTML],
    "/missing": [404, { "content-type": "text/html" }, HTML],
    "/cut-off": [200, { "content-type": "application/octet-stream", "content-length": String(WASM.length) }, WASM.subarray(0, 1000)],
    "/broken": [200, { "content-type": "application/wasm" }, flipped()],
  };
  server = createServer(({ url }, response) => {
    const [status, headers, body] = answers[url];
    response.writeHead(status, headers);
    response.write(body);
    if (url === "/cut-off") setTimeout(() => response.destroy(), 100);
    else response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

/** The module with its sections' lengths destroyed. */
function flipped() {
  const bytes = Uint8Array.from(WASM);
  for (let at = 8; at < 200; at++) bytes[at] ^= 0xff;
  return bytes;
}

test("before init, what needs no WebAssembly works", async () => {
  assert.equal(gridkey.isSupported(), true);
  const capabilities = await gridkey.capabilities();
  assert.deepEqual({ ...capabilities }, { passkeys: false, platformAuthenticator: false, autofill: false, persistentKeys: false });
  const client = gridkey.createGridkey({ baseUrl: "https://relay.example" });
  assert.deepEqual(client.state, { status: "signedOut" });
  assert.ok(Object.isFrozen(client.state) && client.state === client.state);
  const unsubscribe = client.subscribe(() => {});
  unsubscribe();
  client.free();
});

test("before init, what needs it says so", async () => {
  for (const use of [
    () => gridkey.SessionKey.generate(),
    () => gridkey.SessionKey.dangerouslyFromPrivateKey(new Uint8Array(32)),
    () => gridkey.SealedKeyReceiver.generate(),
    () => gridkey.WalletExportKey.generate(),
    () => gridkey.oauthNonce("02"),
    () => gridkey.passkeyChallengeBytes("0"),
    () => gridkey.createGridkey({ baseUrl: "https://relay.example" }).adoptSession({}, {}),
  ]) {
    const error = thrown("wasm_unavailable", use);
    assert.match(error.message, /await init\(\)/);
    assert.equal(error.recovery, "integrator");
  }
  await failure("wasm_unavailable", gridkey.requestPasskey({ challenge: "0", credentialId: "A" }));
  await failure("wasm_unavailable", gridkey.createPasskey({}));
});

test("what is no WebAssembly is refused with what to mend, and init can be called again", async () => {
  for (const [source, message, cause] of [
    [`${base}/html`, /HTML page.*init\(\)/],
    [`${base}/html-as-wasm`, /HTML page/],
    [`${base}/missing`, /HTTP 404/],
    [`${base}/cut-off`, /cut off/, TypeError],
    [`${base}/broken`, /broken/, WebAssembly.CompileError],
    ["http://127.0.0.1:9/", /could not be fetched.*connect-src/, TypeError],
    ["/no/base", /could not be fetched/, TypeError],
    [new Response(HTML), /HTML page/],
    [new Response("{}", { headers: { "content-type": "application/json" } }), /served in place of the WebAssembly is none/],
    [new Response(null, { status: 503 }), /HTTP 503/],
    [new Uint8Array(0), /served in place/],
    [new Uint8Array(4), /served in place/],
    [new TextEncoder().encode(HTML), /HTML page/],
    [flipped(), /broken/, WebAssembly.CompileError],
    [WASM.subarray(0, 1000), /broken/, WebAssembly.CompileError],
    [new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), /not of this version/],
    [{}, /could not be fetched/],
    [null, undefined],
  ].filter(([, message]) => message)) {
    const loading = gridkey.init(source);
    assert.equal(gridkey.init(), loading, "the same promise while it loads");
    const error = await failure("wasm_unavailable", loading);
    assert.match(error.message, message);
    if (cause) assert.ok(error.cause instanceof cause, String(error.cause));
  }
});

test("a page that forbids WebAssembly is told what to allow", async () => {
  const { compile } = WebAssembly;
  WebAssembly.compile = () => Promise.reject(new WebAssembly.CompileError("whatever the engine says"));
  try {
    const error = await failure("wasm_blocked_by_csp", gridkey.init());
    assert.match(error.message, /'wasm-unsafe-eval'/);
    assert.match(error.cause.message, /whatever/);
  } finally {
    WebAssembly.compile = compile;
  }
});

test("without WebAssembly there is a clear error", async () => {
  const { WebAssembly: real } = globalThis;
  globalThis.WebAssembly = undefined;
  try {
    assert.equal(gridkey.isSupported(), false);
    await failure("wasm_unavailable", gridkey.init());
    await failure("wasm_unavailable", gridkey.createGridkey({ baseUrl: "https://relay.example" }).listAuthMethods({ accountId: "a" }));
  } finally {
    globalThis.WebAssembly = real;
  }
});

test("after all that, a client loads it by itself", async () => {
  const client = gridkey.createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
  assert.deepEqual(await client.listAuthMethods({ accountId: "InternalAccount:1" }), []);
  const loaded = gridkey.init();
  assert.equal(gridkey.init("http://127.0.0.1:9/"), loaded, "once it is loaded, another source changes nothing");
  assert.equal(await loaded, undefined);
  gridkey.SessionKey.generate().free();
});
