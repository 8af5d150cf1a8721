// The peers do the job that they are measured at.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { p256 } from "@noble/curves/nist.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { hpkeDecrypt } from "@turnkey/crypto";

import * as noble from "./peers/noble.mjs";
import * as turnkey from "./peers/turnkey.mjs";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../tests/vectors/${name}.json`, import.meta.url), "utf8"));

for (const [name, peer] of Object.entries({ noble, turnkey })) {
  test(`${name} stamps`, async () => {
    const { privateKey, publicKey, tests } = vectors("turnkey_stamp");
    const [{ payload }] = tests;
    const stamped = JSON.parse(atob((await peer.stamp(privateKey, payload)).replaceAll("-", "+").replaceAll("_", "/")));
    assert.equal(stamped.publicKey, publicKey);
    assert.equal(stamped.scheme, "SIGNATURE_SCHEME_TK_API_P256");
    assert.match(stamped.signature, /^30[0-9a-f]+$/);
  });

  test(`${name} opens session keys`, async () => {
    const [vector] = vectors("turnkey_credential_bundle").tests;
    assert.equal(await peer.openSessionKey(vector.bundle, vector.receiverPrivateKey), vector.plaintextHex);
  });

  test(`${name} opens exports`, async () => {
    const [vector] = vectors("turnkey_export_bundle").tests;
    const { enclaveQuorumPublic } = JSON.parse(vector.exportBundle);
    assert.equal(await peer.openExport(vector.exportBundle, vector.privateKey, vector.organizationId, enclaveQuorumPublic), vector.mnemonic);
  });
}

for (const [name, peer] of Object.entries({ noble, turnkey })) {
  test(`${name} seals one-time codes`, async () => {
    const [enclave, target] = [noble.keyPair(), noble.keyPair()];
    const data = Buffer.from(JSON.stringify({ targetPublic: target.publicKeyUncompressed }));
    const dataSignature = p256.sign(data, hexToBytes(enclave.privateKey), { format: "der", lowS: false });
    const bundle = JSON.stringify({
      version: "v1.0.0",
      data: data.toString("hex"),
      dataSignature: bytesToHex(dataSignature),
      enclaveQuorumPublic: enclave.publicKeyUncompressed,
    });
    const sealed = JSON.parse(await peer.sealOtpCode(bundle, "123456", "02ab", enclave.publicKeyUncompressed));
    const opened = hpkeDecrypt({
      ciphertextBuf: hexToBytes(sealed.ciphertext),
      encappedKeyBuf: hexToBytes(sealed.encappedPublic),
      receiverPriv: target.privateKey,
    });
    assert.deepEqual(JSON.parse(Buffer.from(opened)), { otp_code: "123456", public_key: "02ab" });
  });
}
