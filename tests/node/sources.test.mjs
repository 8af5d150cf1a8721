// Every kind of source, each in a process of its own, because what is loaded stays.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";
import { promisify } from "node:util";

const WASM = new URL("../../pkg/wasm/gridkey_bg.wasm", import.meta.url);
const PACKAGE = new URL("../../pkg/", import.meta.url);

let server;
let base;

before(async () => {
  const bytes = await readFile(WASM);
  server = createServer(({ url }, response) => {
    response.writeHead(200, { "content-type": url === "/octets" ? "application/octet-stream" : "application/wasm" }).end(bytes);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

async function run(script, entry = "node.js") {
  const code = `
    import { readFile } from "node:fs/promises";
    const gridkey = await import(${JSON.stringify(new URL(entry, PACKAGE).href)});
    const bytes = () => readFile(new URL(${JSON.stringify(WASM.href)}));
    const base = ${JSON.stringify(base)};
    ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  return stdout.trim();
}

const KEY = "console.log(gridkey.SessionKey.generate().publicKey)";

for (const [name, source] of [
  ["nothing", ""],
  ["a URL", "new URL(`${base}/wasm`)"],
  ["a text", "`${base}/wasm`"],
  ["a Request", "new Request(`${base}/wasm`)"],
  ["a Response", "await fetch(`${base}/wasm`)"],
  ["a promise's Response that is not served as wasm", "await fetch(`${base}/octets`)"],
  ["a Buffer", "await bytes()"],
  ["an ArrayBuffer", "Uint8Array.from(await bytes()).buffer"],
  ["a view into a larger buffer", "await bytes().then(b => { const a = new Uint8Array(b.length + 7); a.set(b, 7); return a.subarray(7) })"],
  ["a Module", "new WebAssembly.Module(await bytes())"],
]) {
  test(`init takes ${name}`, async () => {
    assert.match(await run(`await gridkey.init(${source}); ${KEY}`), /^0[23][0-9a-f]{64}$/);
  });
}

test("bytes that are changed after the call are not what is checked, nor what is compiled", async () => {
  for (const options of ["undefined", "{ integrity: gridkey.WASM_INTEGRITY }"]) {
    const out = await run(`const given = await bytes(); const loading = gridkey.init(given, ${options}); given.fill(0); await loading; ${KEY}`);
    assert.match(out, /^0[23]/, options);
  }
});

for (const [name, source, integrity] of [
  ["the package's own file", "undefined", "gridkey.WASM_INTEGRITY"],
  ["an address", "`${base}/wasm`", "gridkey.WASM_INTEGRITY"],
  ["a Response", "await fetch(`${base}/wasm`)", "gridkey.WASM_INTEGRITY"],
  ["bytes", "await bytes()", "gridkey.WASM_INTEGRITY"],
  ["one of several digests", "await bytes()", "`sha384-${'A'.repeat(64)}\n${gridkey.WASM_INTEGRITY} sha256-${'A'.repeat(43)}=`"],
]) {
  test(`init takes what is as \`integrity\` says: ${name}`, async () => {
    const init = `await gridkey.init(${source}, { integrity: ${integrity} })`;
    assert.match(await run(`${init}; ${init.replace(/init\(.*?,/s, "init(undefined,")}; ${KEY}`), /^0[23]/);
  });
}

test("the digest that the package names is that of its file", async () => {
  const digest = createHash("sha384").update(await readFile(WASM)).digest("base64");
  for (const entry of ["node.js", "index.js", "inline.js", "slim.js"]) {
    assert.equal(await run("console.log(gridkey.WASM_INTEGRITY)", entry), `sha384-${digest}`);
  }
});

test("the browsers' entry is imported without a page, and takes bytes", async () => {
  assert.match(await run(`await gridkey.init(await bytes()); ${KEY}`, "index.js"), /^0[23]/);
});

test("an import does nothing", async () => {
  const code = `
    for (const name of ["TextDecoder", "WebAssembly", "crypto", "fetch"]) Object.defineProperty(globalThis, name, { value: undefined });
    const names = new Set(Reflect.ownKeys(globalThis));
    for (const entry of ["node.js", "index.js"]) await import(new URL(entry, ${JSON.stringify(PACKAGE.href)}));
    console.log(Reflect.ownKeys(globalThis).filter((name) => !names.has(name)).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  assert.equal(stdout.trim(), "0");
});

test("it can be required", async () => {
  // Node has it without a flag since 20.19.
  const code = `const gridkey = require(${JSON.stringify(new URL("node.js", PACKAGE).pathname)}); console.log(typeof gridkey.createGridkey)`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", code]);
  assert.equal(stdout.trim(), "function");
});

test("two instances in two processes have two keys", async () => {
  const keys = await Promise.all([1, 2, 3].map(() => run(`await gridkey.init(); ${KEY}`)));
  assert.equal(new Set(keys).size, 3);
});

test("a session that waits for its end does not keep the process alive", async () => {
  const started = Date.now();
  await run(`
    await gridkey.init();
    const client = gridkey.createGridkey({ transport() {} });
    const now = new Date().toISOString();
    const session = { id: "Session:1", accountId: "InternalAccount:1", type: "EMAIL_OTP", nickname: "a",
      createdAt: now, updatedAt: now, expiresAt: new Date(Date.now() + 900_000).toISOString() };
    globalThis.kept = client.adoptSession(session, gridkey.SessionKey.generate());
    console.log(client.state.status);`);
  assert.ok(Date.now() - started < 20_000);
});

test("an answered call leaves no timer behind", async () => {
  const started = Date.now();
  const out = await run(`
    const client = gridkey.createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
    console.log((await client.listAuthMethods({ accountId: "InternalAccount:1", timeoutMs: 60_000 })).length);`);
  assert.equal(out, "0");
  assert.ok(Date.now() - started < 20_000);
});

test("without randomness no key is made", async () => {
  for (const crypto of ["undefined", "{}", "{ getRandomValues() { throw new Error() } }", "{ getRandomValues: (bytes) => bytes }"]) {
    const out = await run(`
      await gridkey.init();
      Object.defineProperty(globalThis, "crypto", { value: ${crypto} });
      try { gridkey.SessionKey.generate(); } catch (error) { console.log(error.code); }`);
    assert.equal(out, "randomness_unavailable", crypto);
  }
});
