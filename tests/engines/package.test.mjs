// The package on a plain page, in the engine that `GRIDKEY_ENGINE` names, driven by WebDriver. The
// page, the relay and a sandbox are at `GRIDKEY_DEMO_URL`.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import test, { after, before } from "node:test";

import * as sandbox from "../e2e/sandbox.mjs";
import { bytes, vectors } from "../node/vectors.mjs";
import { AUTHENTICATOR, KNOWN, lacks } from "./features.mjs";
import { Browser } from "./webdriver.mjs";

const engine = required("GRIDKEY_ENGINE");
const known = KNOWN[engine] ?? assert.fail(`GRIDKEY_ENGINE is none of ${Object.keys(KNOWN)}`);
const hex = (privateKey) => [...bytes(privateKey)];

let browser;
const outcomes = [];

before(async () => {
  browser = await Browser.start(required("GRIDKEY_WEBDRIVER"), JSON.parse(readFileSync(required("GRIDKEY_WEBDRIVER_JSON"), "utf8")));
});

after(async () => {
  await browser?.close();
  const { GRIDKEY_ENGINE_REPORT: report } = process.env;
  if (report) writeFileSync(report, JSON.stringify({ version: browser?.version, lacks: known, tests: outcomes }));
});

/**
 * A test on the page `path`, from a fresh sandbox, and without a problem but those of `problems`.
 * In an engine that is known to lack what the test `needs`, it does not apply, and the report says so.
 */
function pageTest(name, { path = "strict.html", needs = [], problems = [] }, body) {
  const missing = needs.filter((feature) => feature in known);
  const outcome = { name, lacks: missing, passed: false };
  outcomes.push(outcome);
  if (missing.length > 0) return;
  test(name, async () => {
    await sandbox.reset();
    const before = await sandbox.violations();
    await open(path);
    await body();
    const seen = await browser.run(() => globalThis.problems);
    assert.deepEqual(seen.filter((problem) => !problems.some((expected) => expected.test(problem))), [], "problems on the page");
    assert.deepEqual((await sandbox.violations()).slice(before.length), [], "traffic that is not the API's");
    outcome.passed = true;
  });
}

async function open(path) {
  await browser.goto(new URL(path, sandbox.DEMO_URL));
  await browser.until(() => Boolean(globalThis.perform));
}

/** Has the page do what is named (`page/page.js`). */
async function perform(name, ...args) {
  const result = await browser.run((name, args) => globalThis.perform(name, args), name, JSON.stringify(args));
  return JSON.parse(result);
}

/** Runs `body` with an authenticator in the browser. */
async function withAuthenticator(body) {
  const id = await browser.send("POST", "webauthn/authenticator", AUTHENTICATOR);
  try {
    return await body(id);
  } finally {
    await browser.send("DELETE", `webauthn/authenticator/${id}`);
  }
}

test("it lacks what is listed, and nothing else", async () => {
  await open("open.html");
  assert.deepEqual(await lacks(browser), known);
});

pageTest("it loads under a strict Content-Security-Policy, once it is asked to", {}, async () => {
  const { before, supported, publicKey } = await perform("load");
  assert.equal(before, "wasm_unavailable");
  assert.equal(supported, true);
  assert.match(publicKey, /^0[23][0-9a-f]{64}$/);
});

pageTest("a policy that forbids WebAssembly is named", { path: "no-wasm.html", problems: [/: wasm-eval$/] }, async () => {
  const { supported, code, message } = await perform("fail");
  assert.equal(code, "wasm_blocked_by_csp");
  assert.match(message, /'wasm-unsafe-eval'/);
  assert.equal(supported, false);
});

pageTest("it says what the engine can do, and leaves no trace of asking", {}, async () => {
  const { found, databases } = await perform("capabilities");
  assert.equal(found.passkeys, !("passkeys" in known));
  assert.equal(found.persistentKeys, true);
  for (const can of Object.values(found)) assert.ok([true, false, "unknown"].includes(can));
  assert.deepEqual(databases, []);
});

pageTest("stamps are byte for byte Turnkey's", {}, async () => {
  const { privateKey, tests } = vectors("turnkey_stamp");
  const stamps = await perform("stamps", hex(privateKey), tests.map(({ payload }) => payload));
  assert.ok(stamps.length > 3);
  assert.deepEqual(stamps, tests.map(({ headerValue }) => headerValue));
});

pageTest("a new key signs, and its signature verifies elsewhere", {}, async () => {
  const payload = '{"type":"ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2","memo":"naïve — 日本"}';
  const { publicKey, stamp } = await perform("newKey", payload);
  const stamped = JSON.parse(Buffer.from(stamp, "base64url").toString());
  assert.equal(stamped.publicKey, publicKey);
  const signature = Buffer.from(stamped.signature, "hex");
  assert.ok(verify("sha256", Buffer.from(payload), p256(publicKey), signature));
  assert.ok(!verify("sha256", Buffer.from(`${payload} `), p256(publicKey), signature));
});

pageTest("sealed session keys open, and exported wallets", {}, async () => {
  const sealed = vectors("turnkey_credential_bundle").tests;
  const opened = await perform("openSessionKeys", sealed.map(({ receiverPrivateKey, bundle }) => [hex(receiverPrivateKey), bundle]));
  assert.ok(opened.length > 0);
  assert.deepEqual(opened, sealed.map(({ sessionPublicKeyCompressed }) => sessionPublicKeyCompressed));

  const [{ privateKey, exportBundle, organizationId, mnemonic }] = vectors("turnkey_export_bundle").tests;
  assert.equal(await perform("openWallet", hex(privateKey), exportBundle, organizationId), mnemonic);
});

for (const sessionKeys of ["sealed", "client-held"]) {
  pageTest(`a one-time code opens the wallet; the session is renewed and ended (${sessionKeys} keys)`, {}, async () => {
    const seen = await perform("session", sessionKeys);
    assert.notEqual(seen.first, seen.second);
    assert.equal(seen.sessions, 2);
    assert.equal(seen.revokedAtGrid, true);
    assert.deepEqual(new Set(seen.states), new Set(["signedIn", "signedOut"]));
    assert.equal((await sandbox.sessions()).at(-1).sealed, sessionKeys === "sealed");
  });
}

pageTest("a wrong code is refused, and the right one taken after it", {}, async () => {
  assert.deepEqual(await perform("wrongCode"), { wrong: "otp_rejected: OTP_CODE_WRONG", isActive: true });
});

pageTest("a code that was asked for before a reload is taken after it", {}, async () => {
  await perform("askForCode");
  await open("strict.html");
  assert.equal(await perform("enterCode"), true);
});

pageTest("the seed phrase is exported", {}, async () => {
  const words = (await perform("seedPhrase")).split(" ");
  assert.ok([12, 24].includes(words.length), `${words.length} words`);
});

pageTest("a key that cannot be copied outlives the page, and signs in with an identity provider", {}, async () => {
  const { publicKey, copied } = await perform("leaveForProvider", await sandbox.idToken("ada", "gridkey-demo"));
  assert.deepEqual(copied, ["InvalidAccessError"]);
  await browser.until(() => location.pathname.endsWith("/authorize") && document.readyState === "complete");
  await browser.click("button[name=user][value=ada]");
  await browser.until(() => location.hash.startsWith("#id_token=") && Boolean(globalThis.perform));
  const seen = await perform("returnFromProvider");
  assert.equal(seen.publicKey, publicKey);
  assert.equal(seen.revokedAtGrid, true, "what the kept key signs, Grid takes");
  assert.notEqual(seen.again, "none", "the key went with the session");
});

pageTest("a passkey is made, known again, and opens the wallet", { needs: ["passkeys", "virtual authenticators"] }, async () => {
  const seen = await withAuthenticator(() => perform("passkey"));
  assert.deepEqual(seen, {
    type: "PASSKEY",
    again: "passkey_already_registered: InvalidStateError",
    revokedAtGrid: true,
    aborted: "aborted",
    foreign: "passkey_unsupported: SecurityError",
  });
});

if ("passkeys" in known) {
  pageTest("without passkeys it says so", {}, async () => {
    const { passkeys, code } = await perform("withoutPasskeys");
    assert.equal(passkeys, false);
    assert.match(code, /^passkey_unsupported/);
  });
}

pageTest("it works in a worker", {}, async () => {
  const { publicKey, status } = await perform("worker");
  assert.match(publicKey, /^0[23]/);
  assert.equal(status, 404);
});

pageTest("a call that is aborted or takes too long ends", {}, async () => {
  const { aborted, late } = await perform("endings");
  assert.equal(aborted, "aborted");
  assert.match(late, /^timeout/);
});

pageTest("what the policy forbids to reach is the network's failure", { problems: [/^connect-src: /] }, async () => {
  assert.match(await perform("unreachable"), /^network/);
});

pageTest("an instance that the page breaks is replaced", {}, async () => {
  assert.deepEqual(await perform("breakInstance"), { code: "instance_lost", isActive: true });
});

pageTest("objects are freed by hand, and say so when they are used after it", {}, async () => {
  assert.deepEqual(await perform("free"), { ends: "function", stray: false, after: "used_after_free" });
});

/** SubjectPublicKeyInfo (RFC 5480) of a compressed P-256 key. */
function p256(compressedHex) {
  const der = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${compressedHex}`, "hex");
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

function required(name) {
  return process.env[name] ?? assert.fail(`${name} is not set: run \`cargo xtask engines\``);
}
