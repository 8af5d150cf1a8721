// Layer 1 on the built package, against published vectors.

import assert from "node:assert/strict";
import test, { before } from "node:test";
import { inspect } from "node:util";

import * as gridkey from "../../pkg/node.js";
import { failure, thrown } from "./failure.mjs";
import { bytes, vectors } from "./vectors.mjs";

const { SealedKeyReceiver, SessionKey, WalletExportKey } = gridkey;

before(() => gridkey.init());

test("stamps are byte for byte Turnkey's", async () => {
  const { privateKey, publicKey, tests } = vectors("turnkey_stamp");
  const key = SessionKey.dangerouslyFromPrivateKey(bytes(privateKey));
  assert.equal(key.publicKey, publicKey);
  assert.ok(tests.length > 3);
  for (const { payload, headerValue } of tests) {
    assert.equal(await key.dangerouslyStampUnchecked(payload), headerValue);
  }
});

test("the API document's sealed session key opens", () => {
  for (const vector of vectors("turnkey_credential_bundle").tests) {
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(vector.receiverPrivateKey));
    assert.equal(receiver.publicKey, vector.receiverPublicKeyUncompressed);
    const session = receiver.open(vector.bundle);
    assert.ok(session instanceof SessionKey);
    assert.equal(session.publicKey, vector.sessionPublicKeyCompressed);
    assert.equal(session.publicKeyUncompressed, vector.sessionPublicKeyUncompressed);
    assert.equal(Buffer.from(session.dangerouslyExportPrivateKey()).toString("hex"), vector.plaintextHex);
  }
});

test("a wallet export opens once, for its own organization only", () => {
  const [vector] = vectors("turnkey_export_bundle").tests;
  const key = WalletExportKey.dangerouslyFromPrivateKey(bytes(vector.privateKey));
  const open = (organizationId) => key.open(vector.exportBundle, { organizationId });
  assert.equal(thrown("bundle_untrusted", () => open("another")).reason, "organization_mismatch");
  thrown("invalid_argument", () => key.open(vector.exportBundle));
  thrown("bundle_untrusted", () => key.open(vector.exportBundle, { organizationId: vector.organizationId, enclaveKey: SessionKey.generate().publicKeyUncompressed }));
  const mnemonic = open(vector.organizationId);
  assert.ok(mnemonic instanceof Uint8Array);
  assert.equal(Buffer.from(mnemonic).toString(), vector.mnemonic);
  thrown("invalid_argument", () => open(vector.organizationId));
});

test("challenges and nonces are those of the documents", () => {
  const { challenge, nonce = [] } = vectors("passkey_challenge_oauth_nonce");
  for (const vector of challenge) {
    assert.equal(Buffer.from(gridkey.passkeyChallengeBytes(vector.challenge)).toString("hex"), vector.challengeBytesHex);
  }
  const key = SessionKey.generate();
  assert.notEqual(gridkey.oauthNonce(key.publicKey), gridkey.oauthNonce(key.publicKeyUncompressed));
  assert.match(gridkey.oauthNonce(key.publicKey), /^[0-9a-f]{64}$/);
});

test("an object that was freed says so, whatever is asked of it", async () => {
  const make = { SessionKey, SealedKeyReceiver, WalletExportKey };
  for (const [name, Class] of Object.entries(make)) {
    const object = Class.generate();
    const prototype = Object.getPrototypeOf(object);
    object.free();
    object.free();
    if (Symbol.dispose) object[Symbol.dispose]();
    for (const [member, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (["constructor", "free"].includes(member) || member.startsWith("__")) continue;
      const use = get ? () => object[member] : () => value.call(object, "x", "y", {});
      const error = await failure("used_after_free", use);
      assert.equal(error.recovery, "integrator", `${name}.${member}`);
    }
  }
});

test("methods refuse what is no object of theirs, and classes are not made with new", async () => {
  const key = SessionKey.generate();
  const prototype = Object.getPrototypeOf(key);
  for (const other of [SealedKeyReceiver.generate(), {}, undefined, prototype, { __wbg_ptr: 8 }, Object.create(prototype), Object.create(key)]) {
    await failure("invalid_argument", () => prototype.dangerouslyStampUnchecked.call(other, "x"));
    thrown("invalid_argument", () => Reflect.get(prototype, "publicKey", other));
  }
  for (const Class of [SessionKey, SealedKeyReceiver, WalletExportKey, gridkey.WalletSession, gridkey.OtpSignIn, gridkey.Gridkey]) {
    thrown("invalid_argument", () => new Class());
  }
  assert.match(key.publicKey, /^0[23]/, "and everything goes on");
});

test("a key does not leave by accident", () => {
  const secret = "0123456789abcdef".repeat(4);
  const key = SessionKey.dangerouslyFromPrivateKey(bytes(secret));
  const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(secret));
  for (const handle of [key, receiver]) {
    for (const text of [JSON.stringify({ handle }), JSON.stringify(handle) ?? "", inspect(handle, { depth: 9, showHidden: true }), String(handle)]) {
      assert.ok(!text.includes(secret.slice(0, 16)), text);
    }
    assert.throws(() => structuredClone(handle), { name: "DataCloneError" });
  }
});

test("errors name no input", async () => {
  const canary = "c0ffee".repeat(20);
  const key = SessionKey.generate();
  for (const run of [
    () => gridkey.oauthNonce(canary),
    () => gridkey.passkeyChallengeBytes(canary),
    () => SealedKeyReceiver.generate().open(canary),
    () => WalletExportKey.generate().open(canary, { organizationId: canary }),
    () => key.sealOtpCode(canary, "123456"),
    () => key.sealOtpCode("{}", canary),
    () => key.sealOtpCode("{}", "1", { enclaveKey: canary }),
    () => key.sealOtpCode("{}", "1", { publicKeyEncoding: canary }),
    () => SessionKey.dangerouslyFromPrivateKey(Buffer.from(canary)),
    () => SessionKey.dangerouslyFromPrivateKey(canary),
  ]) {
    let error;
    try {
      run();
    } catch (caught) {
      error = caught;
    }
    const said = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify({ ...error });
    assert.equal(error.name, "GridkeyError");
    assert.ok(!said.includes(canary.slice(0, 12)), said);
  }
});
