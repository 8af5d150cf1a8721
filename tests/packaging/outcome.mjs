// What is asked of every environment: the same stamp as everybody's, the same key out of the sealed
// bundle, and the WebAssembly once. The answers come from published vectors and from Node's own
// cryptography; nothing here uses the package.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

const stamps = vectors("turnkey_stamp");
const [stamped] = stamps.tests;
const [sealed] = vectors("turnkey_credential_bundle").tests;

/** What the environments get. */
export const GIVEN = {
  privateKey: stamps.privateKey,
  payload: stamped.payload,
  receiverPrivateKey: sealed.receiverPrivateKey,
  encryptedSessionSigningKey: sealed.bundle,
};

/** RFC 6979 signatures are deterministic, so the stamp is the vector's byte for byte. */
export function checkStamp({ stamp }) {
  assert.equal(stamp, stamped.headerValue, "the stamp is not the vector's");
  const { publicKey, signature } = JSON.parse(Buffer.from(stamp, "base64url").toString());
  assert.equal(publicKey, stamps.publicKey);
  assert.ok(
    verify("sha256", Buffer.from(GIVEN.payload), p256(publicKey), Buffer.from(signature, "hex")),
    "the stamp does not verify",
  );
}

export function checkOpened({ opened }) {
  assert.equal(opened, sealed.sessionPublicKeyCompressed, "the opened key is not the vector's");
}

/** SubjectPublicKeyInfo (RFC 5480) of a compressed P-256 key. */
function p256(compressedHex) {
  const der = Buffer.from(`3039301306072a8648ce3d020106082a8648ce3d030107032200${compressedHex}`, "hex");
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/** How every module begins (WebAssembly Core 5.5.16), and how that is written in base64. */
const MAGIC = Buffer.from("\0asm");
const MAGIC_IN_BASE64 = Buffer.from("AGFzb");

/** How many WebAssembly modules there are in files, as files and inside of others. */
export function countModules(files) {
  let asFiles = 0;
  let inlined = 0;
  for (const { name, content } of files) {
    const isModule = content.subarray(0, MAGIC.length).equals(MAGIC);
    assert.equal(isModule, name.endsWith(".wasm"), `${name} is not what it is called`);
    if (isModule) asFiles++;
    inlined += occurrences(content.subarray(isModule ? 1 : 0), MAGIC) + occurrences(content, MAGIC_IN_BASE64);
  }
  return { asFiles, inlined };
}

function occurrences(content, pattern) {
  let count = 0;
  for (let at = content.indexOf(pattern); at >= 0; at = content.indexOf(pattern, at + 1)) count++;
  return count;
}
