// Loading, in the order in which it goes wrong for people: nothing loaded, everything that is no
// WebAssembly, and at last the real thing.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
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
    "/cut-off-as-wasm": [200, { "content-type": "application/wasm", "content-length": String(WASM.length) }, WASM.subarray(0, 1000)],
    "/broken": [200, { "content-type": "application/wasm" }, flipped()],
    "/older": [200, { "content-type": "application/wasm" }, ofBuild("0.0.9+0123456789abcdef")],
  };
  server = createServer(({ url }, response) => {
    const [status, headers, body] = answers[url];
    response.writeHead(status, headers);
    response.write(body);
    if (url.startsWith("/cut-off")) setTimeout(() => response.destroy(), 100);
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

/** The module as another build would have it: with that build's name in its last section. */
function ofBuild(build) {
  const name = Buffer.from("\x07gridkey");
  const start = WASM.lastIndexOf(name) - 2;
  assert.ok(start > 0);
  const content = Buffer.concat([name, Buffer.from(build)]);
  return Buffer.concat([WASM.subarray(0, start), Buffer.of(0, content.length), content]);
}

const digestOf = (algorithm, bytes = WASM) => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;

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
    [`${base}/cut-off-as-wasm`, /cut off/, TypeError],
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
    [new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), /not of this version.*names no version/],
    [`${base}/older`, /not of this version of gridkey, \d+\.\d+\.\d+\+[0-9a-f]{16}: it is of 0\.0\.9\+0123456789abcdef\./],
    [new WebAssembly.Module(ofBuild("0.0.9+0123456789abcdef")), /it is of 0\.0\.9/],
    [await readResponse(), /read before.*clone/],
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

async function readResponse() {
  const response = new Response(WASM, { headers: { "content-type": "application/wasm" } });
  await response.arrayBuffer();
  return response;
}

test("what is not what `integrity` names is refused", async () => {
  for (const [source, integrity, message] of [
    [undefined, digestOf("sha256", flipped()), /not the one that `integrity` names/],
    [WASM, digestOf("sha384", flipped()), /not the one/],
    [`${base}/good`, digestOf("sha512", flipped()), /not the one/],
    // The strongest algorithm counts, as in HTML.
    [WASM, `${digestOf("sha256")} ${digestOf("sha384", flipped())}`, /not the one/],
    // What is there instead says more than that it is another digest.
    [`${base}/html-as-wasm`, gridkey.WASM_INTEGRITY, /HTML page/],
    [`${base}/missing`, gridkey.WASM_INTEGRITY, /HTTP 404/],
    [`${base}/older`, gridkey.WASM_INTEGRITY, /not the one/],
  ]) {
    const error = await failure("wasm_unavailable", gridkey.init(source, { integrity }));
    assert.match(error.message, message);
  }
});

test("nothing is compiled before it was held against `integrity`", async () => {
  const { compile, compileStreaming } = WebAssembly;
  let compiled = 0;
  WebAssembly.compile = WebAssembly.compileStreaming = () => Promise.reject(new Error(`compiled ${++compiled}`));
  try {
    await failure("wasm_unavailable", gridkey.init(`${base}/good`, { integrity: digestOf("sha256", flipped()) }));
    assert.equal(compiled, 0);
  } finally {
    Object.assign(WebAssembly, { compile, compileStreaming });
  }
});

test("an `integrity` that says nothing is refused, and not passed over", async () => {
  for (const options of [
    null,
    "sha384-",
    { integrity: "" },
    { integrity: " " },
    { integrity: 5 },
    { integrity: null },
    { integrity: ["sha256"] },
    Object.create({ integrity: digestOf("sha256") }),
    { integrity: "sha256" },
    { integrity: `md5-${"A".repeat(22)}==` },
    { integrity: `constructor-${"A".repeat(44)}` },
    { integrity: digestOf("sha256").slice(0, -1) },
    { integrity: digestOf("sha256").replace("sha256", "sha384") },
    { integrity: `${digestOf("sha256")} sha384-AAAA` },
    { integrity: createHash("sha256").update(WASM).digest("hex") },
    {
      get integrity() {
        throw new Error("no");
      },
    },
  ]) {
    await failure("invalid_argument", gridkey.init(undefined, options));
  }
  const error = await failure("invalid_argument", gridkey.init(new WebAssembly.Module(WASM), { integrity: gridkey.WASM_INTEGRITY }));
  assert.match(error.message, /of a Module/);
});

test("a page that cannot check `integrity` says so, and loads nothing", async () => {
  const { subtle } = crypto;
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  try {
    const error = await failure("wasm_unavailable", gridkey.init(WASM, { integrity: gridkey.WASM_INTEGRITY }));
    assert.match(error.message, /HTTPS/);
  } finally {
    delete crypto.subtle;
    assert.equal(crypto.subtle, subtle);
  }
});

test("without fetch there is a clear error", async () => {
  const { fetch } = globalThis;
  globalThis.fetch = undefined;
  try {
    const error = await failure("wasm_unavailable", gridkey.init(`${base}/good`));
    assert.match(error.message, /no fetch.*gridkey\/inline/);
  } finally {
    globalThis.fetch = fetch;
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

test("so it is where the engine compiles all the same, as WebKit does, and starts nothing", async () => {
  const { instantiate, Instance } = WebAssembly;
  const refused = () => new WebAssembly.CompileError("whatever the engine says");
  WebAssembly.instantiate = () => Promise.reject(refused());
  WebAssembly.Instance = function () {
    throw refused();
  };
  try {
    assert.equal(gridkey.isSupported(), false);
    const error = await failure("wasm_blocked_by_csp", gridkey.init());
    assert.match(error.message, /'wasm-unsafe-eval'/);
    assert.match(error.cause.message, /whatever/);
  } finally {
    Object.assign(WebAssembly, { instantiate, Instance });
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
