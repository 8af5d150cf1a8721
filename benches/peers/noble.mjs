// The same by hand on noble and @hpke/core, as Grid's React sample does it
// (lightsparkdev/grid-api@cf2510e samples/frontend).

import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const INFO = utf8ToBytes("turnkey_hpke");
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export function keyPair() {
  const privateKey = p256.utils.randomSecretKey();
  return { privateKey: bytesToHex(privateKey), publicKeyUncompressed: bytesToHex(p256.getPublicKey(privateKey, false)) };
}

export async function stamp(privateKey, payload) {
  const key = hexToBytes(privateKey);
  const signature = p256.sign(utf8ToBytes(payload), key, { format: "der", lowS: false });
  const publicKey = bytesToHex(p256.getPublicKey(key, true));
  const json = JSON.stringify({ publicKey, scheme: "SIGNATURE_SCHEME_TK_API_P256", signature: bytesToHex(signature) });
  return btoa(json).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export async function openSessionKey(bundle, privateKey) {
  const bytes = base58Check(bundle);
  return bytesToHex(await open(hexToBytes(privateKey), p256.Point.fromBytes(bytes.subarray(0, 33)).toBytes(false), bytes.subarray(33)));
}

export async function sealOtpCode(bundle, code, publicKey, enclaveKey) {
  const { targetPublic } = signed(JSON.parse(bundle), enclaveKey);
  const recipient = hexToBytes(targetPublic);
  const recipientPublicKey = await suite.kem.deserializePublicKey(recipient.buffer);
  const sender = await suite.createSenderContext({ recipientPublicKey, info: INFO.buffer });
  const encapped = new Uint8Array(sender.enc);
  const plaintext = utf8ToBytes(JSON.stringify({ otp_code: code, public_key: publicKey }));
  const ciphertext = new Uint8Array(await sender.seal(plaintext.buffer, concatBytes(encapped, recipient).buffer));
  return JSON.stringify({ encappedPublic: bytesToHex(encapped), ciphertext: bytesToHex(ciphertext) });
}

export async function openExport(exportBundle, privateKey, organizationId, enclaveKey) {
  const data = signed(JSON.parse(exportBundle), enclaveKey);
  if (data.organizationId !== organizationId) throw new Error("another organization's export");
  return new TextDecoder().decode(await open(hexToBytes(privateKey), hexToBytes(data.encappedPublic), hexToBytes(data.ciphertext)));
}

/** The data of an envelope, if `enclaveKey` signed it. */
function signed({ data, dataSignature, enclaveQuorumPublic }, enclaveKey) {
  const key = hexToBytes(enclaveKey);
  const isSigned =
    enclaveQuorumPublic === enclaveKey && p256.verify(hexToBytes(dataSignature), hexToBytes(data), key, { format: "der", lowS: false });
  if (!isSigned) throw new Error("not signed by this enclave");
  return JSON.parse(new TextDecoder().decode(hexToBytes(data)));
}

async function open(privateKey, encapped, ciphertext) {
  const receiver = p256.getPublicKey(privateKey, false);
  const recipientKey = await suite.kem.importKey("raw", privateKey.buffer.slice(privateKey.byteOffset, privateKey.byteOffset + 32), false);
  const context = await suite.createRecipientContext({ recipientKey, enc: encapped.slice().buffer, info: INFO.buffer });
  return new Uint8Array(await context.open(ciphertext.slice().buffer, concatBytes(encapped, receiver).buffer));
}

function base58Check(text) {
  let number = 0n;
  for (const character of text) number = number * 58n + BigInt(ALPHABET.indexOf(character));
  const hex = number.toString(16);
  const body = hexToBytes(hex.padStart(hex.length + (hex.length % 2), "0"));
  const bytes = concatBytes(new Uint8Array(/^1*/.exec(text)[0].length), body);
  const payload = bytes.subarray(0, -4);
  const checksum = sha256(sha256(payload)).subarray(0, 4);
  if (bytesToHex(checksum) !== bytesToHex(bytes.subarray(-4))) throw new Error("wrong checksum");
  return payload;
}
