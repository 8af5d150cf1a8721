// The test authenticator: what pages look for, what prompts give, and how they fail.

import assert from "node:assert/strict";
import test from "node:test";

import { capabilities, createPasskey, requestPasskey } from "../../pkg/node.js";
import { createTestAuthenticator } from "../../pkg/testing/index.js";
import { authenticator, clock, failure, setUp, thrown } from "./support.mjs";

const CHALLENGE = "0123456789abcdef".repeat(4);
const REGISTRATION = { nickname: "Phone", challenge: "AAECAwQFBgcICQoLDA0ODw", user: { id: "AQ", name: "a@b.example" } };

test("it is there while it is installed, and gone after", async () => {
  const before = [globalThis.navigator?.credentials, globalThis.PublicKeyCredential, globalThis.isSecureContext, "navigator" in globalThis];
  const device = createTestAuthenticator();
  const { passkeys, platformAuthenticator, autofill } = await capabilities();
  assert.deepEqual([passkeys, platformAuthenticator, autofill], [true, true, false]);
  thrown("invalid_argument", () => createTestAuthenticator());
  device.restore();
  device.restore();
  assert.deepEqual([globalThis.navigator?.credentials, globalThis.PublicKeyCredential, globalThis.isSecureContext, "navigator" in globalThis], before);
  assert.equal((await capabilities()).passkeys, false);
  await failure("passkey_unsupported", requestPasskey({ challenge: CHALLENGE, credentialId: "AQID" }));
  // What another test has installed is not taken away by this one.
  const next = createTestAuthenticator();
  device.restore();
  assert.equal((await capabilities()).passkeys, true);
  if (Symbol.dispose) next[Symbol.dispose]();
  else next.restore();
  assert.equal((await capabilities()).passkeys, false);
});

test("what a page has is put back", () => {
  const credentials = { get: () => "the browser's" };
  const navigator = Object.create({}, { credentials: { value: credentials, configurable: true } });
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  globalThis.isSecureContext = false;
  try {
    const device = createTestAuthenticator();
    assert.notEqual(navigator.credentials, credentials);
    assert.equal(isSecureContext, true);
    device.restore();
    assert.equal(navigator.credentials, credentials);
    assert.equal(isSecureContext, false);
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
    delete globalThis.isSecureContext;
  }
});

test("passkeys are made and used", async () => {
  const device = authenticator({ origin: "https://app.wallet.example" });
  const made = await createPasskey({ ...REGISTRATION, rp: { id: "wallet.example" } });
  assert.deepEqual(made.transports, ["internal", "hybrid"]);
  assert.deepEqual(device.passkeys, [{ credentialId: made.credentialId, rpId: "wallet.example", userName: "a@b.example", signCount: 0 }]);
  const used = await requestPasskey({ challenge: CHALLENGE, credentialId: made.credentialId }, { rpId: "wallet.example" });
  assert.equal(used.userHandle, "AQ");
  assert.equal(device.passkeys[0].signCount, 1);
  const clientData = JSON.parse(Buffer.from(used.clientDataJson, "base64url"));
  assert.equal(clientData.origin, "https://app.wallet.example");
  // Flags UP and UV: somebody was there, and was checked.
  assert.equal(Buffer.from(used.authenticatorData, "base64url")[32] & 5, 5);
  assert.deepEqual(device.prompts, { create: 1, get: 1 });
});

test("prompts fail as a browser's do", async () => {
  const device = authenticator();
  const { credentialId } = await createPasskey(REGISTRATION);
  const wanted = { challenge: CHALLENGE, credentialId };
  const fails = async (code, reason, run) => assert.equal((await failure(code, run)).reason, reason);
  await fails("passkey_already_registered", "InvalidStateError", createPasskey({ ...REGISTRATION, excludeCredentials: [{ id: credentialId }] }));
  await fails("passkey_not_used", "NotAllowedError", requestPasskey({ challenge: CHALLENGE, credentialId: "AQID" }));
  await fails("passkey_unsupported", "SecurityError", requestPasskey(wanted, { rpId: "elsewhere.example" }));
  await failure("aborted", requestPasskey(wanted, { signal: AbortSignal.abort() }));
  device.removePasskey(credentialId);
  await fails("passkey_not_used", "NotAllowedError", requestPasskey(wanted));
  thrown("invalid_argument", () => device.removePasskey(credentialId));
  const only = (alg) => navigator.credentials.create({ publicKey: { challenge: new Uint8Array(16), rp: {}, user: { id: new Uint8Array(1), name: "n" }, pubKeyCredParams: [{ type: "public-key", alg }] } });
  await assert.rejects(only(-257), { name: "NotSupportedError" });
  assert.equal((await only(-7)).type, "public-key");
  const reason = new RangeError("mine");
  const aborted = navigator.credentials.get({ publicKey: { challenge: new Uint8Array(16) }, signal: AbortSignal.abort(reason) });
  await assert.rejects(aborted, (error) => error === reason);
  await assert.rejects(navigator.credentials.get({}), { name: "NotSupportedError" });
});

test("prompts do as they are told, each once", async () => {
  const device = authenticator();
  const { credentialId } = await createPasskey(REGISTRATION);
  const wanted = { challenge: CHALLENGE, credentialId };
  device.cancelNext();
  assert.equal((await failure("passkey_not_used", requestPasskey(wanted))).reason, "NotAllowedError");
  await requestPasskey(wanted);
  for (const [name, code] of [
    ["SecurityError", "passkey_unsupported"],
    ["ConstraintError", "passkey_unsupported"],
    ["TypeError", "passkey_unsupported"],
    ["UnknownError", "passkey_not_used"],
    ["InvalidStateError", "passkey_not_used"],
  ]) {
    device.failNext(name);
    assert.equal((await failure(code, requestPasskey(wanted))).reason, name);
  }
  device.failNext("InvalidStateError");
  await failure("passkey_already_registered", createPasskey(REGISTRATION));
  assert.equal(device.passkeys.length, 1);
  for (const name of [undefined, "Error", "notallowederror"]) thrown("invalid_argument", () => device.failNext(name));
  for (const delay of [undefined, -1, Number.NaN]) thrown("invalid_argument", () => device.delayNext(delay));
  for (const origin of ["localhost", "https://a.example/", "https://a.example/login", 5, ""]) {
    device.restore();
    thrown("invalid_argument", () => createTestAuthenticator({ origin }));
  }
});

test("a prompt stays open as long as it is told to", async () => {
  const time = clock();
  const device = authenticator();
  const { credentialId } = await createPasskey(REGISTRATION);
  const wanted = { challenge: CHALLENGE, credentialId };
  let isOpen = true;
  device.delayNext(3000);
  const answered = requestPasskey(wanted).then(() => (isOpen = false));
  await time.advance(2999);
  assert.equal(isOpen, true);
  await time.advance(1);
  assert.equal(isOpen, false);
  await answered;

  // A signal closes it, and so does another ceremony.
  device.delayNext(Infinity);
  const controller = new AbortController();
  const open = requestPasskey(wanted, { signal: controller.signal });
  await time.advance(3_600_000);
  controller.abort();
  await failure("aborted", open);
  device.delayNext(Infinity);
  const first = requestPasskey(wanted);
  const second = requestPasskey(wanted);
  assert.equal((await failure("passkey_not_used", first)).reason, "AbortError");
  await second;

  // And so does its time.
  device.delayNext(Infinity);
  const late = navigator.credentials.get({ publicKey: { challenge: new Uint8Array(16), timeout: 60_000 } });
  const outcome = assert.rejects(late, { name: "NotAllowedError" });
  await time.advance(60_000);
  await outcome;
});

test("a passkey of another device is not found on this one", async () => {
  const { grid, gridkey } = await setUp();
  const device = authenticator();
  const { id } = await grid.addPasskey();
  const prepared = await gridkey.preparePasskey({ authMethodId: id });
  await failure("passkey_not_used", prepared.confirm());
  assert.deepEqual(device.prompts, { create: 0, get: 1 });
  assert.deepEqual(grid.sessions, []);
});
