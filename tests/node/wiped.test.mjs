// What the module that is shipped leaves of secrets in its memory, which every script of the page
// can read: no piece of one, whoever had it. Pieces, because a copy that is left on the stack is
// soon written over in part.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import test, { before } from "node:test";

import { bytes, vectors } from "./vectors.mjs";

const memories = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
  return instance;
};

/** All randomness: the private keys that nobody but the module knows. */
const drawn = [];
const getRandomValues = crypto.getRandomValues.bind(crypto);
crypto.getRandomValues = (array) => {
  getRandomValues(array);
  drawn.push(Uint8Array.from(array));
  return array;
};

const { SealedKeyReceiver, SessionKey, WalletExportKey, init } = await import("../../pkg/node.js");

before(() => init());

/** A number in limbs of 29 bits. */
function limbs(number) {
  const digits = Buffer.alloc(36);
  for (let index = 0; index < 9; index++) {
    digits.writeUInt32LE(Number((BigInt(`0x${number.toString("hex")}`) >> BigInt(29 * index)) & 0x1fff_ffffn), 4 * index);
  }
  return digits;
}

/**
 * Where any piece of a secret stands, which is `least` bytes of it one after the other, in either order, as hex or as
 * limbs. Of random bytes six are enough; words are in the module's own texts as well.
 */
function pieces(secret, least = 6) {
  const straight = Buffer.from(secret);
  const forms = { straight, reversed: Buffer.from(straight).reverse(), hex: Buffer.from(straight.toString("hex")) };
  if (straight.length === 32) forms.limbs = limbs(straight);
  const found = [];
  for (const { buffer } of memories) {
    const hay = Buffer.from(buffer);
    for (const [form, text] of Object.entries(forms)) {
      const size = Math.min(text.length, form === "hex" ? 2 * least : least);
      for (let from = 0; from + size <= text.length; from++) {
        const at = hay.indexOf(text.subarray(from, from + size));
        if (at >= 0) found.push(`${form} ${from} at ${at}`);
      }
    }
  }
  return found;
}

test("of a key that was made, used and exported", async () => {
  const key = SessionKey.generate();
  await key.dangerouslyStampUnchecked("a payload");
  const secret = key.dangerouslyExportPrivateKey();
  const kept = pieces(secret);
  assert.ok(kept.length > 0 && kept.every((place) => /^(reversed|limbs)/.test(place)), `${kept}`);
  key.free();
  assert.deepEqual(pieces(secret), []);
});

test("of a key that was imported", async () => {
  const secret = getRandomValues(new Uint8Array(32));
  secret[0] &= 0x7f;
  const key = SessionKey.dangerouslyFromPrivateKey(secret);
  await key.dangerouslyStampUnchecked("another");
  key.free();
  assert.deepEqual(pieces(secret), []);
});

test("of what was sealed for a key", () => {
  for (const vector of vectors("turnkey_credential_bundle").tests) {
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(vector.receiverPrivateKey));
    receiver.open(vector.bundle).free();
    receiver.free();
    assert.deepEqual(pieces(bytes(vector.receiverPrivateKey)), []);
    assert.deepEqual(pieces(bytes(vector.plaintextHex)), []);
  }
  const [vector] = vectors("turnkey_export_bundle").tests;
  const key = WalletExportKey.dangerouslyFromPrivateKey(bytes(vector.privateKey));
  key.open(vector.exportBundle, { organizationId: vector.organizationId });
  assert.deepEqual(pieces(bytes(vector.privateKey)), []);
  assert.deepEqual(pieces(Buffer.from(vector.mnemonic), 16), []);
});

test("of a code that was sealed, and of the key that sealed it", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const enclaveKey = `04${[x, y].map((number) => Buffer.from(number, "base64url").toString("hex")).join("")}`;
  const data = Buffer.from(JSON.stringify({ targetPublic: enclaveKey }));
  const bundle = JSON.stringify({
    version: "v1.0.0",
    data: data.toString("hex"),
    dataSignature: sign("sha256", data, privateKey).toString("hex"),
    enclaveQuorumPublic: enclaveKey,
  });
  const code = "Q7ZK3XW9PLM2VB8T";
  const key = SessionKey.generate();
  drawn.length = 0;
  key.sealOtpCode(bundle, code, { enclaveKey });
  key.free();
  assert.deepEqual(pieces(Buffer.from(code)), []);
  assert.equal(drawn.length, 1);
  assert.deepEqual(drawn.flatMap((secret) => pieces(secret)), []);
});

test("of a text that no type wipes, but whose memory was freed", async () => {
  const key = SessionKey.generate();
  const text = "a text of which nobody takes care";
  await key.dangerouslyStampUnchecked(text);
  // Not ASCII at its end, so that it grows and moves on its way in.
  await key.dangerouslyStampUnchecked(`${text.toUpperCase()}${"é".repeat(2000)}`);
  key.free();
  assert.deepEqual(pieces(Buffer.from(text), 16), []);
  assert.deepEqual(pieces(Buffer.from(text.toUpperCase()), 16), []);
});
