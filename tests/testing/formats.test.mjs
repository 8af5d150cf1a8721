// The test Grid's own reading and writing, against vectors that others published.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { readPublicKey, readStamp, verify } from "../../pkg/testing/crypto.js";
import { base58, base64url, cbor, concat, der, isEqual, readBase64url, readCbor, readDer, readHex, utf8 } from "../../pkg/testing/encoding.js";
import { checkAssertion, checkAttestation, isOriginOf } from "../../pkg/testing/webauthn.js";
import { bytes, vectors } from "../node/vectors.mjs";

const sha256 = (data) => createHash("sha256").update(data).digest();

test("signatures are strict DER", async () => {
  let seen = 0;
  for (const { publicKey, tests } of vectors("wycheproof_ecdsa_secp256r1_sha256_test").testGroups) {
    const key = await readPublicKey(publicKey.uncompressed);
    for (const { msg, sig, result, comment } of tests) {
      const signature = readDer(bytes(sig));
      const isValid = signature !== undefined && (await verify(key, signature, bytes(msg)));
      assert.equal(isValid, result === "valid", comment);
      if (isValid) assert.ok(isEqual(der(signature), bytes(sig)), comment);
      seen++;
    }
  }
  assert.ok(seen > 200);
});

test("base58check is Bitcoin's", () => {
  for (const { string, payload } of vectors("base58check").valid) {
    const data = bytes(payload);
    assert.equal(base58(concat(data, sha256(sha256(data)).subarray(0, 4))), string);
  }
});

test("a key has two forms, and no others", async () => {
  const { pointX00, apiKey } = vectors("turnkey_keys");
  for (const form of ["compressed", "uncompressed"]) {
    const key = await readPublicKey(pointX00[form]);
    assert.deepEqual([key.compressed, key.uncompressed], [pointX00.compressed, pointX00.uncompressed]);
  }
  assert.equal((await readPublicKey(apiKey.publicKeyCompressed)).compressed, apiKey.publicKeyCompressed);
  // Points whose y is odd and even.
  let seen = 0;
  for (const { publicKey } of vectors("wycheproof_ecdsa_secp256r1_sha256_test").testGroups) {
    const point = bytes(publicKey.uncompressed);
    const key = await readPublicKey(`0${2 + (point[64] & 1)}${publicKey.uncompressed.slice(2, 66)}`);
    assert.equal(key.uncompressed, publicKey.uncompressed);
    seen |= 1 + (point[64] & 1);
  }
  assert.equal(seen, 3);
  const p = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
  for (const wrong of [pointX00.invalidUncompressed, `02${p}`, `02${"f".repeat(64)}`, `04${"0".repeat(128)}`, `06${pointX00.uncompressed.slice(2)}`, "00", "", "zz", undefined, 5]) {
    assert.equal(await readPublicKey(wrong), undefined, wrong);
  }
});

test("stamps are Turnkey's", async () => {
  const { publicKey, tests } = vectors("turnkey_stamp");
  for (const { payload, headerValue } of tests) {
    const stamp = await readStamp(headerValue);
    assert.equal(stamp.publicKey.compressed, publicKey);
    assert.equal(await verify(stamp.publicKey, stamp.signature, utf8(payload)), true);
    assert.equal(await verify(stamp.publicKey, stamp.signature, utf8(`${payload} `)), false);
  }
  const json = JSON.parse(Buffer.from(tests[0].headerValue, "base64url"));
  const written = (stamp) => Buffer.from(JSON.stringify(stamp)).toString("base64url");
  assert.ok(await readStamp(written(json)));
  const long = `04${"1".repeat(128)}`;
  for (const wrong of [{ ...json, scheme: "other" }, { ...json, more: "" }, { ...json, signature: `${json.signature}00` }, { ...json, publicKey: long }, { scheme: json.scheme }, null, "x"]) {
    assert.equal(await readStamp(written(wrong)), undefined);
  }
});

test("passkeys are checked as the standard has it", async () => {
  const rpId = "example.org";
  for (const { title, registration, authentication } of vectors("webauthn_l3_es256").ceremonies) {
    const text = (hex) => base64url(bytes(hex));
    const attestation = { credentialId: text(registration.credential_id), clientDataJson: text(registration.clientDataJSON), attestationObject: text(registration.attestationObject) };
    const passkey = await checkAttestation(attestation, text(registration.challenge), rpId);
    const assertion = {
      credentialId: attestation.credentialId,
      clientDataJson: text(authentication.clientDataJSON),
      authenticatorData: text(authentication.authenticatorData),
      signature: text(authentication.signature),
    };
    assert.equal(await checkAssertion(passkey, assertion, text(authentication.challenge), rpId), 0, title);
    const reasonOf = async (promise) => (await promise.then(() => assert.fail("accepted"), (refusal) => refusal)).body.details.reason;
    assert.equal(await reasonOf(checkAttestation(attestation, text(authentication.challenge), rpId)), "ATTESTATION_INVALID");
    assert.equal(await reasonOf(checkAttestation(attestation, text(registration.challenge), "example.net")), "ATTESTATION_INVALID");
    assert.equal(await reasonOf(checkAssertion(passkey, assertion, text(registration.challenge), rpId)), "ASSERTION_CHALLENGE_MISMATCH");
    const changed = (hex, from, to) => {
      assert.ok(hex.includes(from), from);
      return text(hex.replace(from, to));
    };
    const hexOf = (characters) => Buffer.from(characters).toString("hex");
    const rpIdHash = sha256(rpId).toString("hex");
    const flags = registration.attestationObject.slice(registration.attestationObject.indexOf(rpIdHash) + 64).slice(0, 2);
    const withoutUser = (Number.parseInt(flags, 16) & ~1).toString(16);
    for (const [name, from, to] of [
      ["clientDataJson", hexOf("webauthn.create"), hexOf("webauthn.get")],
      ["clientDataJson", hexOf("example.org"), hexOf("example.net")],
      ["attestationObject", rpIdHash, "00".repeat(32)],
      ["attestationObject", `${rpIdHash}${flags}`, `${rpIdHash}${withoutUser}`],
      ["attestationObject", hexOf("authData"), hexOf("autoData")],
      ["attestationObject", hexOf("attStmt"), hexOf("attSTMT")],
      ["attestationObject", /$/, "00"],
    ]) {
      const source = name === "clientDataJson" ? registration.clientDataJSON : registration.attestationObject;
      const other = from instanceof RegExp ? text(source.replace(from, to)) : changed(source, from, to);
      assert.equal(await reasonOf(checkAttestation({ ...attestation, [name]: other }, text(registration.challenge), rpId)), "ATTESTATION_INVALID", to);
    }
    // A statement of a format that has none.
    if (registration.attestationObject.includes(hexOf("none"))) {
      const attestationObject = changed(registration.attestationObject, `${hexOf("attStmt")}a0`, `${hexOf("attStmt")}a1617801`);
      assert.equal(await reasonOf(checkAttestation({ ...attestation, attestationObject }, text(registration.challenge), rpId)), "ATTESTATION_INVALID");
    }
    const absent = { ...assertion, authenticatorData: text(`${authentication.authenticatorData.slice(0, 64)}00${authentication.authenticatorData.slice(66)}`) };
    assert.equal(await reasonOf(checkAssertion(passkey, absent, text(authentication.challenge), rpId)), "ASSERTION_USER_NOT_PRESENT");
    assert.equal(await reasonOf(checkAssertion({ ...passkey, signCount: 1 }, assertion, text(authentication.challenge), rpId)), "ASSERTION_COUNTER_NOT_INCREASED");
  }
});

test("authenticator data is read to its end, extensions too", async () => {
  const [{ registration }] = vectors("webauthn_l3_es256").ceremonies;
  const text = (hex) => base64url(bytes(hex));
  const authData = readCbor(bytes(registration.attestationObject)).value.get("authData");
  const check = (data) => {
    const attestationObject = base64url(cbor(new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", data]])));
    const attestation = { credentialId: text(registration.credential_id), clientDataJson: text(registration.clientDataJSON), attestationObject };
    return checkAttestation(attestation, text(registration.challenge), "example.org").then(() => "accepted", (refusal) => refusal.body.details.reason);
  };
  const extended = authData.slice();
  extended[32] |= 0x80;
  assert.equal(await check(authData), "accepted");
  assert.equal(await check(concat(extended, bytes("a16161f5"))), "accepted");
  // The same point in coordinates of 31 and 33 bytes: 58 20 x, 22, 58 20 y.
  const x = authData.length - 69;
  const shifted = concat(authData.slice(0, x), [0x58, 31], authData.slice(x + 2, x + 33), [0x22, 0x58, 33], authData.slice(x + 33, x + 34), authData.slice(x + 37));
  for (const wrong of [extended, concat(extended, bytes("ff")), concat(extended, bytes("a0a0")), concat(authData, bytes("a0")), authData.slice(0, -1), authData.slice(0, 36), shifted]) {
    assert.equal(await check(wrong), "ATTESTATION_INVALID");
  }
});

test("an origin belongs to its domain and those above it", () => {
  for (const origin of ["https://wallet.example", "https://wallet.example:8443", "https://app.wallet.example"]) assert.equal(isOriginOf(origin, "wallet.example"), true);
  for (const origin of ["https://evilwallet.example", "https://wallet.example.net", "https://example", "null", "", undefined]) assert.equal(isOriginOf(origin, "wallet.example"), false);
});

test("CBOR comes back as it went, and nothing broken is read", () => {
  const value = new Map([["fmt", "none"], [-2, new Uint8Array(300)], [1, 23], [24, 255], [256, -257], ["é", new Map()]]);
  const written = cbor(value);
  const { value: read, length } = readCbor(written);
  assert.equal(length, written.length);
  assert.deepEqual([...read], [...value]);
  assert.deepEqual([cbor(23), cbor(24), cbor(256), cbor(-7), cbor("a")].map((bytes) => Buffer.from(bytes).toString("hex")), ["17", "1818", "190100", "26", "6161"]);
  for (let end = 0; end < written.length; end++) assert.equal(readCbor(written.slice(0, end)), undefined);
  // RFC 8949, appendix A: true, [1, [2, 3]], a number of 32 bits; and what WebAuthn has not.
  assert.deepEqual([readCbor(bytes("f5")).value, readCbor(bytes("8201820203")).value, readCbor(bytes("1a000f4240")).value], [true, [1, [2, 3]], 1_000_000]);
  for (const wrong of ["5f4101ff", "f93c00", "f6", "c100", "1b000000e8d4a51000", "61ff", "818181818181818181818101", ""]) assert.equal(readCbor(bytes(wrong)), undefined, wrong);
});

test("texts of bytes are strict", () => {
  for (const data of [[], [0], [255, 255], [1, 2, 3, 250]]) assert.deepEqual([...readBase64url(base64url(Uint8Array.from(data)))], data);
  for (const wrong of ["A", "AB", "AA==", "A+", "A/", "AAAA ", "é", undefined, 5]) assert.equal(readBase64url(wrong), undefined, wrong);
  for (const wrong of ["0", "0g", " 00", "0x00", undefined, 5]) assert.equal(readHex(wrong), undefined, wrong);
});
