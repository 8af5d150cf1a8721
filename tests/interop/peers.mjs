// Three that do what gridkey does: gridkey itself as it is built, Turnkey's own JavaScript, and what
// Grid's sample code puts together by hand from noble and @hpke/core (lightsparkdev/grid-api@cf2510e
// samples/frontend). Each throws where it refuses. Keys, plaintexts and signatures are hex.

import { createPublicKey, createHash, verify } from "node:crypto";

import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ApiKeyStamper } from "@turnkey/api-key-stamper";
import * as Turnkey from "@turnkey/crypto";

import { SealedKeyReceiver, SessionKey, WalletExportKey, checkIntent, oauthNonce } from "../../pkg/node.js";

export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
export const utf8 = (text) => new TextEncoder().encode(text);
const concat = (...parts) => Uint8Array.from(Buffer.concat(parts));
const exact = (view) => view.slice().buffer;

export const publicKey = (privateKey, isCompressed = false) => hex(p256.getPublicKey(bytes(privateKey), isCompressed));
export const uncompressed = (point) => p256.Point.fromBytes(point).toBytes(false);
export const compressed = (point) => p256.Point.fromBytes(point).toBytes(true);

// gridkey

const free = (object, use) => {
  try {
    return use(object);
  } finally {
    object.free();
  }
};

export const gridkey = {
  openSessionKey: (bundle, privateKey) =>
    free(SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(privateKey)), (receiver) =>
      free(receiver.open(bundle), (session) => hex(session.dangerouslyExportPrivateKey())),
    ),
  openExport: (bundle, privateKey, organizationId, enclaveKey) =>
    free(WalletExportKey.dangerouslyFromPrivateKey(bytes(privateKey)), (key) => hex(key.open(bundle, { organizationId, enclaveKey }))),
  sealCode: (bundle, code, privateKey, enclaveKey, publicKeyEncoding = "compressed") =>
    free(SessionKey.dangerouslyFromPrivateKey(bytes(privateKey)), (key) => key.sealOtpCode(bundle, code, { enclaveKey, publicKeyEncoding })),
  stamp: async (privateKey, payload) => {
    const key = SessionKey.dangerouslyFromPrivateKey(bytes(privateKey));
    const stamp = await key.dangerouslyStampUnchecked(payload);
    key.free();
    return stamp;
  },
  readToken: (token, point, enclaveKey) => checkIntent(token, { kind: "verifyOtp", publicKeyHex: point, quorumPublicKey: enclaveKey }).organizationId,
  /** By what is said of an envelope: it is looked into only if its signature holds. */
  verify: (point, data, dataSignature) => {
    const key = WalletExportKey.generate();
    const bundle = JSON.stringify({ version: "v1.0.0", data, dataSignature, enclaveQuorumPublic: point });
    try {
      key.open(bundle, { organizationId: "org", enclaveKey: point });
    } catch (error) {
      if (error.code === "bundle_malformed" && !error.message.includes("dataSignature")) return true;
      throw error;
    } finally {
      key.free();
    }
    throw new Error("an envelope opened that has nothing in it");
  },
  readPoint: (text) => oauthNonce(text) && true,
};

// Turnkey

export const turnkey = {
  openSessionKey: (bundle, privateKey) => Turnkey.decryptCredentialBundle(bundle, privateKey),
  openExport: (exportBundle, embeddedKey, organizationId, enclaveKey) =>
    Turnkey.decryptExportBundle({ exportBundle, embeddedKey, organizationId, dangerouslyOverrideSignerPublicKey: enclaveKey }),
  sealCode: (bundle, code, privateKey, enclaveKey) => Turnkey.encryptOtpCodeToBundle(code, bundle, publicKey(privateKey, true), enclaveKey),
  stamp: async (privateKey, payload, runtimeOverride = "purejs") => {
    const stamper = new ApiKeyStamper({ apiPublicKey: publicKey(privateKey, true), apiPrivateKey: privateKey, runtimeOverride });
    return (await stamper.stamp(payload)).stampHeaderValue;
  },
  readToken: async (token, point, enclaveKey) => {
    const claims = await Turnkey.verifyOtpVerificationToken(token, enclaveKey);
    // Its callers compare texts.
    if (claims.public_key !== point) throw new Error("another key's token");
    return claims.organization_id;
  },
  verify: async (point, data, dataSignature) => isTrue(await Turnkey.verifyStampSignature(point, dataSignature, Buffer.from(data, "hex").toString())),
  verifyStamp: (point, text, signature) => Turnkey.verifyStampSignature(point, signature, text),
  readPoint: (text) => {
    const point = bytes(checkedHex(text));
    const whole = point.length === 33 ? Turnkey.uncompressRawPublicKey(point) : point;
    return Turnkey.hpkeEncrypt({ plainTextBuf: utf8("text"), targetKeyBuf: whole }).length > 0;
  },
  publicKey: (privateKey, isCompressed) => hex(Turnkey.getPublicKey(bytes(privateKey), isCompressed)),
  uncompressed: Turnkey.uncompressRawPublicKey,
  compressed: Turnkey.compressRawPublicKey,
  /** `enc || ciphertext || tag`, by an ephemeral key of its own. */
  seal: (receiver, plaintext) => Turnkey.hpkeEncrypt({ plainTextBuf: bytes(plaintext), targetKeyBuf: bytes(receiver) }),
  open: (encapped, ciphertext, privateKey) =>
    hex(Turnkey.hpkeDecrypt({ ciphertextBuf: bytes(ciphertext), encappedKeyBuf: bytes(encapped), receiverPriv: privateKey })),
};

/** Turnkey's own check of hexadecimal digits (@turnkey/encoding). */
function checkedHex(text) {
  if (!/^([0-9A-Fa-f]{2})+$/.test(text)) throw new Error("no hex");
  return text;
}

function isTrue(verified) {
  if (verified !== true) throw new Error("not signed");
  return true;
}

// By hand, on noble and @hpke/core

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const INFO = utf8("turnkey_hpke");

async function coreOpen(privateKey, encapped, ciphertext) {
  const receiver = bytes(publicKey(privateKey));
  const recipientKey = await suite.kem.importKey("raw", exact(bytes(privateKey)), false);
  const context = await suite.createRecipientContext({ recipientKey, enc: exact(encapped), info: exact(INFO) });
  return new Uint8Array(await context.open(exact(ciphertext), exact(concat(encapped, receiver))));
}

async function coreSeal(receiver, plaintext) {
  const recipientPublicKey = await suite.kem.deserializePublicKey(exact(receiver));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: exact(INFO) });
  const encapped = new Uint8Array(sender.enc);
  return { encapped, ciphertext: new Uint8Array(await sender.seal(exact(plaintext), exact(concat(encapped, receiver)))) };
}

/** The data of an envelope, if `enclaveKey` signed it. */
function signed(text, enclaveKey) {
  const { data, dataSignature, enclaveQuorumPublic } = JSON.parse(text);
  if (enclaveQuorumPublic !== enclaveKey) throw new Error("another enclave");
  byHand.verify(enclaveKey, data, dataSignature);
  return JSON.parse(new TextDecoder().decode(p256hex(data)));
}

/** noble's own reading of hexadecimal digits, which refuses what is none. */
const p256hex = (text) => bytes(checkedHex(text));

export const byHand = {
  openSessionKey: async (bundle, privateKey) => {
    const payload = base58Check.decode(bundle);
    return hex(await coreOpen(privateKey, uncompressed(payload.subarray(0, 33)), payload.subarray(33)));
  },
  openExport: async (bundle, privateKey, organizationId, enclaveKey) => {
    const data = signed(bundle, enclaveKey);
    if (data.organizationId !== organizationId) throw new Error("another organization");
    return hex(await coreOpen(privateKey, p256hex(data.encappedPublic), p256hex(data.ciphertext)));
  },
  sealCode: async (bundle, code, privateKey, enclaveKey) => {
    const { targetPublic } = signed(bundle, enclaveKey);
    const plaintext = utf8(JSON.stringify({ otp_code: code, public_key: publicKey(privateKey, true) }));
    const { encapped, ciphertext } = await coreSeal(p256hex(targetPublic), plaintext);
    return JSON.stringify({ encappedPublic: hex(encapped), ciphertext: hex(ciphertext) });
  },
  verify: (point, data, dataSignature) => isTrue(p256.verify(bytes(checkedHex(dataSignature)), bytes(data), bytes(point), { format: "der", lowS: false })),
  readPoint: (text) => Boolean(p256.Point.fromHex(text)),
  open: async (encapped, ciphertext, privateKey) => hex(await coreOpen(privateKey, bytes(encapped), bytes(ciphertext))),
  seal: (receiver, plaintext) => coreSeal(bytes(receiver), bytes(plaintext)),
};

// OpenSSL, by Node

export function openssl(point) {
  const [x, y] = [point.slice(2, 66), point.slice(66)].map((half) => Buffer.from(half, "hex").toString("base64url"));
  const key = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x, y } });
  return (message, signature) => verify("sha256", message, key, signature);
}

// The enclaves: on noble, with keys and an ephemeral key of the test's choice.

/** HPKE sealing by `ephemeral`: RFC 9180 with `info` and `aad` as Turnkey's bundles have them. */
export function seal(receiver, ephemeral, plaintext) {
  const [to, encapped] = [bytes(receiver), bytes(publicKey(ephemeral))];
  const shared = p256.getSharedSecret(bytes(ephemeral), to, true).subarray(1);
  const labeled = (suiteId, label, value) => concat(utf8("HPKE-v1"), suiteId, utf8(label), value);
  const sized = (length, suiteId, label, value) => concat(Uint8Array.of(0, length), labeled(suiteId, label, value));
  const [kem, whole] = [concat(utf8("KEM"), Uint8Array.of(0, 16)), concat(utf8("HPKE"), Uint8Array.of(0, 16, 0, 1, 0, 2))];
  const none = new Uint8Array();
  const prk = extract(sha256, labeled(kem, "eae_prk", shared), none);
  const secret = expand(sha256, prk, sized(32, kem, "shared_secret", concat(encapped, to)), 32);
  const hash = (label, value) => extract(sha256, labeled(whole, label, value), none);
  const context = concat(Uint8Array.of(0), hash("psk_id_hash", none), hash("info_hash", INFO));
  const schedule = extract(sha256, labeled(whole, "secret", none), secret);
  const key = expand(sha256, schedule, sized(32, whole, "key", context), 32);
  const nonce = expand(sha256, schedule, sized(12, whole, "base_nonce", context), 12);
  return { shared, encapped, ciphertext: gcm(key, nonce, concat(encapped, to)).encrypt(plaintext) };
}

/** DER, in hex, of a signature by RFC 6979. */
export const sign = (privateKey, message) => hex(p256.sign(message, bytes(privateKey), { format: "der", lowS: false }));

export const signRaw = (privateKey, message) => p256.sign(message, bytes(privateKey), { format: "compact", lowS: false });

export const envelopeOf = (privateKey, data) => ({
  version: "v1.0.0",
  data: hex(data),
  dataSignature: sign(privateKey, data),
  enclaveQuorumPublic: publicKey(privateKey),
});

// Base58Check, on BigInt

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const checksum = (payload) => {
  const digest = (data) => createHash("sha256").update(data).digest();
  return digest(digest(payload)).subarray(0, 4);
};

export const base58Check = {
  checksum,
  encode: (payload) => base58Check.encodeRaw(concat(payload, checksum(payload))),
  /** Without a checksum of its own. */
  encodeRaw: (data) => {
    let text = "";
    for (let number = BigInt(`0x${hex(data) || "0"}`); number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
    const zeros = data.findIndex((byte) => byte !== 0);
    return "1".repeat(zeros < 0 ? data.length : zeros) + text;
  },
  decode: (text) => {
    let number = 0n;
    for (const character of text) {
      const digit = ALPHABET.indexOf(character);
      if (digit < 0) throw new Error("no base58");
      number = number * 58n + BigInt(digit);
    }
    const digits = number === 0n ? "" : number.toString(16);
    const data = concat(new Uint8Array(/^1*/.exec(text)[0].length), bytes(digits.padStart(digits.length + (digits.length % 2), "0")));
    const payload = data.subarray(0, -4);
    if (hex(checksum(payload)) !== hex(data.subarray(-4))) throw new Error("wrong checksum");
    return payload;
  },
};
