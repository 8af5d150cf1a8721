// The package itself in a browser: where it loads and where it says why not, in a worker, with a
// real passkey, and after it was broken by the page.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import test, { after, before } from "node:test";

import { launch } from "./browser.mjs";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const MEDIA_TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const POLICIES = {
  "/open": undefined,
  "/strict": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  "/no-wasm": "default-src 'none'; script-src 'self'; connect-src 'self'",
  "/no-connection": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
  "/inline/strict": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
  "/inline/no-wasm": "default-src 'none'; script-src 'self'; connect-src 'self'",
};
const SCRIPTS = {
  "/page.js": 'import * as gridkey from "/pkg/index.js"; window.gridkey = gridkey;',
  "/inline/page.js": 'import * as gridkey from "/pkg/inline.js"; window.gridkey = gridkey;',
  "/worker.js": `
    import * as gridkey from "/pkg/index.js";
    onmessage = async () => {
      await gridkey.init();
      const client = gridkey.createGridkey({ baseUrl: "/nowhere" });
      const { status } = await client.listAuthMethods({ accountId: "InternalAccount:1" }).catch((error) => error);
      postMessage({ key: gridkey.SessionKey.generate().publicKey, status });
    };`,
};

let server;
let browser;

before(async () => {
  server = createServer(async ({ url: path }, response) => {
    const answer = (type, body, headers) => response.writeHead(200, { "content-type": type, ...headers }).end(body);
    if (path in POLICIES) {
      const policy = POLICIES[path];
      return answer("text/html", '<!doctype html><script type="module" src="page.js"></script>', policy && { "content-security-policy": policy });
    }
    if (path in SCRIPTS) return answer("text/javascript", SCRIPTS[path]);
    if (path.startsWith("/fallback.wasm")) {
      return answer(path.endsWith("?as=wasm") ? "application/wasm" : "text/html", "<!doctype html><title>The application</title>");
    }
    const file = path.startsWith("/pkg/") && (await readFile(new URL(path.slice("/pkg/".length), PACKAGE)).catch(() => undefined));
    return file ? answer(MEDIA_TYPES[extname(path)], file) : response.writeHead(404).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** Runs `script` in a new page, and fails if the page reports an error that nobody caught. */
async function inPage(path, script) {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    await page.goto(`http://localhost:${server.address().port}${path}`);
    await page.waitForFunction(() => globalThis.gridkey);
    const result = typeof script === "function" ? await page.evaluate(script) : await script.in(page);
    assert.deepEqual(problems, []);
    return result;
  } finally {
    await page.close();
  }
}

const load = async () => {
  const isSupported = gridkey.isSupported();
  const outcome = await gridkey.init().then(
    () => gridkey.SessionKey.generate().publicKey,
    ({ code, message }) => ({ code, message }),
  );
  return { isSupported, outcome };
};

test("it loads, also under a strict Content-Security-Policy", async () => {
  for (const path of ["/open", "/strict"]) {
    const { isSupported, outcome } = await inPage(path, load);
    assert.equal(isSupported, true);
    assert.match(outcome, /^0[23][0-9a-f]{64}$/);
  }
});

test("with the WebAssembly inside, a page that may fetch nothing loads it", async () => {
  const { isSupported, outcome } = await inPage("/inline/strict", load);
  assert.equal(isSupported, true);
  assert.match(outcome, /^0[23][0-9a-f]{64}$/);
});

test("a policy that forbids it is named, with what to allow", async () => {
  for (const path of ["/no-wasm", "/inline/no-wasm"]) {
    const { isSupported, outcome } = await inPage(path, load);
    assert.equal(isSupported, false);
    assert.equal(outcome.code, "wasm_blocked_by_csp");
    assert.match(outcome.message, /'wasm-unsafe-eval' to its `script-src`/);
  }

  const unreachable = await inPage("/no-connection", load);
  assert.equal(unreachable.isSupported, true);
  assert.equal(unreachable.outcome.code, "wasm_unavailable");
  assert.match(unreachable.outcome.message, /connect-src/);
});

test("a page in the WebAssembly's place is named, and the next attempt loads", async () => {
  const [code, message, key] = await inPage("/open", async () => {
    const error = await gridkey.init("/fallback.wasm").catch((error) => error);
    await gridkey.init();
    return [error.code, error.message, gridkey.SessionKey.generate().publicKey];
  });
  assert.equal(code, "wasm_unavailable");
  assert.match(message, /HTML page/);
  assert.match(key, /^0[23]/);
});

test("a page in its place is named also where it is served as WebAssembly", async () => {
  const { code, message } = await inPage("/open", () => gridkey.init("/fallback.wasm?as=wasm").catch(({ code, message }) => ({ code, message })));
  assert.equal(code, "wasm_unavailable");
  assert.match(message, /HTML page/);
});

test("what the page may not read is told from what is not there", async () => {
  const messages = await inPage("/open", async () => {
    // The same server, and another site.
    const other = `http://127.0.0.1:${location.port}/pkg/wasm/gridkey_bg.wasm`;
    const sources = [() => other, () => fetch(other, { mode: "no-cors" }), () => "/nowhere.wasm"];
    const messages = [];
    for (const source of sources) messages.push(await gridkey.init(await source()).then(() => "loaded", ({ code, message }) => `${code}: ${message}`));
    return messages;
  });
  assert.match(messages[0], /^wasm_unavailable: .*could not be fetched.*another site's/);
  assert.match(messages[1], /^wasm_unavailable: .*no-cors/);
  assert.match(messages[2], /^wasm_unavailable: .*HTTP 404/);
});

test("`integrity` is checked in a page, and a wrong one is named", async () => {
  const [code, message, key] = await inPage("/strict", async () => {
    const wrong = `sha384-${"A".repeat(64)}`;
    const error = await gridkey.init(undefined, { integrity: wrong }).catch((error) => error);
    await gridkey.init(undefined, { integrity: gridkey.WASM_INTEGRITY });
    return [error.code, error.message, gridkey.SessionKey.generate().publicKey];
  });
  assert.equal(code, "wasm_unavailable");
  assert.match(message, /not the one that `integrity` names/);
  assert.match(key, /^0[23]/);
});

test("it says what the browser can do", async () => {
  const capabilities = await inPage("/open", () => gridkey.capabilities());
  assert.equal(capabilities.passkeys, true);
  assert.equal(capabilities.persistentKeys, true);
  for (const can of Object.values(capabilities)) assert.ok([true, false, "unknown"].includes(can));
  // Its trial leaves nothing behind.
  assert.deepEqual(await inPage("/open", async () => (await gridkey.capabilities(), indexedDB.databases())), []);
});

test("it works in a worker", async () => {
  const { key, status } = await inPage("/open", () => {
    const worker = new Worker("/worker.js", { type: "module" });
    return new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage("start");
    });
  });
  assert.match(key, /^0[23]/);
  assert.equal(status, 404);
});

test("a passkey is made, told from another, and used", async () => {
  const script = {
    async in(page) {
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("WebAuthn.enable");
      const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
      await devtools.send("WebAuthn.addVirtualAuthenticator", { options });
      return page.evaluate(async () => {
        await gridkey.init();
        const failure = (promise) => promise.then(() => "none", ({ code, reason }) => [code, reason]);
        const challenge = "0123456789abcdef".repeat(4);
        const registration = { nickname: "Phone", challenge: "AAECAwQFBgcICQoLDA0ODw", user: { id: "AQ", name: "a@b.example" } };
        const made = await gridkey.createPasskey(registration);
        const used = await gridkey.requestPasskey({ challenge, credentialId: made.credentialId });
        const unknown = { challenge, credentialId: "AQID" };
        return {
          made,
          used,
          again: await failure(gridkey.createPasskey({ ...registration, excludeCredentials: [{ id: made.credentialId }] })),
          unknown: await failure(gridkey.requestPasskey(unknown, { timeoutMs: 500 })),
          foreign: await failure(gridkey.requestPasskey(unknown, { rpId: "elsewhere.example" })),
          aborted: await failure(gridkey.requestPasskey(unknown, { signal: AbortSignal.abort() })),
        };
      });
    },
  };
  const { made, used, again, unknown, foreign, aborted } = await inPage("/strict", script);
  assert.deepEqual(made.transports, ["internal"]);
  assert.equal(used.credentialId, made.credentialId);
  const signed = JSON.parse(Buffer.from(used.clientDataJson, "base64url").toString());
  assert.equal(Buffer.from(signed.challenge, "base64url").toString(), "0123456789abcdef".repeat(4));
  // Flag UV of the authenticator data: somebody was checked, not only there.
  assert.equal(Buffer.from(used.authenticatorData, "base64url")[32] & 4, 4);
  assert.deepEqual(again, ["passkey_already_registered", "InvalidStateError"]);
  assert.deepEqual(unknown, ["passkey_not_used", "NotAllowedError"]);
  assert.deepEqual(foreign, ["passkey_unsupported", "SecurityError"]);
  assert.equal(aborted[0], "aborted");
});

test("an instance that the page breaks is replaced", async () => {
  const outcome = await inPage("/strict", async () => {
    const client = gridkey.createGridkey({ baseUrl: "/nowhere", timeoutMs: 5000 });
    await client.listAuthMethods({ accountId: "InternalAccount:1" }).catch(() => {});
    const now = new Date().toISOString();
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    const session = { id: "Session:1", accountId: "InternalAccount:1", type: "EMAIL_OTP", nickname: "a", createdAt: now, updatedAt: now, expiresAt };
    const wallet = client.adoptSession(session, gridkey.SessionKey.generate());
    const states = [];
    client.subscribe(() => states.push(client.state.status));
    const { now: real } = Date;
    Date.now = () => {
      throw new Error("broken by the page");
    };
    const codes = [];
    try {
      wallet.isActive;
    } catch ({ code }) {
      codes.push(code);
    }
    Date.now = real;
    const { status } = await client.listAuthMethods({ accountId: "InternalAccount:1" }).catch((error) => error);
    return { codes, states, status, key: gridkey.SessionKey.generate().publicKey.length };
  });
  assert.deepEqual(outcome, { codes: ["instance_lost"], states: ["signedOut"], status: 404, key: 66 });
});
