// Real cryptography, by WebCrypto alone: there is one wherever gridkey itself runs.

import { invalidArgument } from "../errors.js";
import {
  base58,
  base64url,
  concat,
  der,
  hex,
  isTexts,
  readBase64url,
  readDer,
  readHex,
  readJson,
  readUtf8,
  utf8,
} from "./encoding.js";

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const ECDH = { name: "ECDH", namedCurve: "P-256" };
const SHA256 = { name: "ECDSA", hash: "SHA-256" };

/** Asked for when it is needed: test environments may add it late. */
const subtle = () => globalThis.crypto.subtle;

/** Says what to do where the test environment is no browser's. */
export function checkEnvironment() {
  if (globalThis.crypto?.subtle && globalThis.TextEncoder && globalThis.TextDecoder) return;
  throw invalidArgument(
    "There is no WebCrypto or no TextEncoder here. Jest's jsdom has neither: give it Node's by an environment of your own, as docs/testing.md shows.",
  );
}

export const random = (length) => globalThis.crypto.getRandomValues(new Uint8Array(length));

export const sha256 = async (bytes) => new Uint8Array(await subtle().digest("SHA-256", bytes));

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────

/** FIPS 186-4, D.1.2.3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

/**
 * A point's other form; browsers' WebCrypto does not read the compressed one. Where there is no such
 * point, what this gives is not on the curve.
 */
function uncompressed(compressed) {
  const x = BigInt(`0x${hex(compressed.slice(1))}`);
  const square = (((x * x * x - 3n * x + B) % P) + P) % P;
  const root = power(square, (P + 1n) / 4n);
  const isOdd = compressed[0] === 3;
  const y = Boolean(root & 1n) === isOdd ? root : P - root;
  return concat([4], compressed.slice(1), readHex(y.toString(16).padStart(64, "0")));
}

const compressed = (point) => concat([2 + (point[64] & 1)], point.slice(1, 33));

/**
 * A public key from 66 or 130 hexadecimal digits: its `point` (SEC1 uncompressed), and its two
 * forms as texts. Undefined for anything else.
 */
export async function readPublicKey(text) {
  const bytes = readHex(text);
  const isShort = bytes?.length === 33 && (bytes[0] === 2 || bytes[0] === 3);
  if (!isShort && !(bytes?.length === 65 && bytes[0] === 4)) return undefined;
  const point = isShort ? uncompressed(bytes) : bytes;
  try {
    // Refuses what is not on the curve.
    await subtle().importKey("raw", point, ECDH, true, []);
  } catch {
    return undefined;
  }
  return publicKey(point);
}

const publicKey = (point) => ({ point, compressed: hex(compressed(point)), uncompressed: hex(point) });

/** A key that signs: `{ privateKey }` and what {@link readPublicKey} gives. */
export async function generateSigningKey() {
  const pair = await subtle().generateKey(ECDSA, true, ["sign", "verify"]);
  const point = new Uint8Array(await subtle().exportKey("raw", pair.publicKey));
  return { ...publicKey(point), privateKey: pair.privateKey };
}

/** A key that receives, likewise. */
export async function generateReceivingKey() {
  const pair = await subtle().generateKey(ECDH, true, ["deriveBits"]);
  const point = new Uint8Array(await subtle().exportKey("raw", pair.publicKey));
  return { ...publicKey(point), privateKey: pair.privateKey };
}

/** r || s. */
export const sign = async ({ privateKey }, bytes) => new Uint8Array(await subtle().sign(SHA256, privateKey, bytes));

/** Whether `signature`, r || s, is of this key over these bytes. */
export async function verify({ point }, signature, bytes) {
  const key = await subtle().importKey("raw", point, ECDSA, true, ["verify"]);
  return subtle().verify(SHA256, key, signature, bytes);
}

// ── HPKE: RFC 9180, base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM ───────────

const VERSION = utf8Constant("HPKE-v1");
const KEM = concat(utf8Constant("KEM"), [0x00, 0x10]);
const SUITE = concat(utf8Constant("HPKE"), [0x00, 0x10, 0x00, 0x01, 0x00, 0x02]);
/** Turnkey's (tkhq/sdk@aaede6f packages/crypto). */
const INFO = utf8Constant("turnkey_hpke");

/** ASCII: there may be no TextEncoder yet while this is imported. */
function utf8Constant(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const labeled = (suite, label, value) => concat(VERSION, suite, utf8Constant(label), value);

/** LabeledExtract with an empty salt. */
async function extract(label, value) {
  const key = await subtle().importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle().sign("HMAC", key, labeled(SUITE, label, value)));
}

/** LabeledExtract and LabeledExpand in one. */
async function derive(suite, salt, [ikmLabel, ikm], [infoLabel, info], length) {
  const key = await subtle().importKey("raw", labeled(suite, ikmLabel, ikm), "HKDF", false, ["deriveBits"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt,
    info: concat([0, length], labeled(suite, infoLabel, info)),
  };
  return new Uint8Array(await subtle().deriveBits(parameters, key, 8 * length));
}

/** The cipher between an ephemeral and a receiving key, one of whose private halves is here. */
async function cipher(privateKey, theirs, enc, receiver) {
  const NONE = new Uint8Array();
  const public_ = await subtle().importKey("raw", theirs, ECDH, true, []);
  const shared = new Uint8Array(await subtle().deriveBits({ name: "ECDH", public: public_ }, privateKey, 256));
  const secret = await derive(KEM, NONE, ["eae_prk", shared], ["shared_secret", concat(enc, receiver)], 32);
  const context = concat([0], await extract("psk_id_hash", NONE), await extract("info_hash", INFO));
  const raw = await derive(SUITE, secret, ["secret", NONE], ["key", context], 32);
  const iv = await derive(SUITE, secret, ["secret", NONE], ["base_nonce", context], 12);
  const key = await subtle().importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return [{ name: "AES-GCM", iv, additionalData: concat(enc, receiver) }, key];
}

/** Seals to a point: `enc`, as a key, and ciphertext || tag. */
async function seal(receiver, plaintext) {
  const enc = await generateReceivingKey();
  const [parameters, key] = await cipher(enc.privateKey, receiver, enc.point, receiver);
  return { enc, ciphertext: new Uint8Array(await subtle().encrypt(parameters, key, plaintext)) };
}

/** What is sealed to `receiver`, or undefined. */
async function open(receiver, enc, ciphertext) {
  try {
    const [parameters, key] = await cipher(receiver.privateKey, enc.point, enc.point, receiver.point);
    return new Uint8Array(await subtle().decrypt(parameters, key, ciphertext));
  } catch {
    return undefined;
  }
}

// ── Grid's texts ─────────────────────────────────────────────────────────────────────────────

/** `encryptedSessionSigningKey` of a fresh session key, and that key. */
export async function sealedSessionKey(receiver) {
  const sessionKey = await generateSigningKey();
  const { d } = await subtle().exportKey("jwk", sessionKey.privateKey);
  const { enc, ciphertext } = await seal(receiver.point, readBase64url(d));
  const payload = concat(readHex(enc.compressed), ciphertext);
  const checksum = (await sha256(await sha256(payload))).slice(0, 4);
  return { sessionKey, bundle: base58(concat(payload, checksum)) };
}

/** What an enclave signs: the signature is over the bytes of `data`, not their hexadecimal digits. */
export async function envelope(enclaveKey, data) {
  const bytes = utf8(JSON.stringify(data));
  return JSON.stringify({
    version: "v1.0.0",
    data: hex(bytes),
    dataSignature: hex(der(await sign(enclaveKey, bytes))),
    enclaveQuorumPublic: enclaveKey.uncompressed,
  });
}

/** A wallet's mnemonic, sealed and signed. */
export async function walletExport(enclaveKey, receiver, organizationId, mnemonic) {
  const { enc, ciphertext } = await seal(receiver.point, utf8(mnemonic));
  return envelope(enclaveKey, { encappedPublic: enc.uncompressed, ciphertext: hex(ciphertext), organizationId });
}

/** A compact JWS, ES256: RFC 7515. */
export async function jws(key, claims) {
  const input = [{ alg: "ES256", typ: "JWT" }, claims].map((part) => base64url(utf8(JSON.stringify(part)))).join(".");
  return `${input}.${base64url(await sign(key, utf8(input)))}`;
}

/** The claims of a compact JWS by this key, or undefined. */
export async function readJws(key, token) {
  const parts = typeof token === "string" ? token.split(".") : [];
  const [header, claims, signature] = parts.map(readBase64url);
  if (parts.length !== 3 || !header || !claims || signature?.length !== 64) return undefined;
  if (readJson(readUtf8(header))?.alg !== "ES256") return undefined;
  const isSigned = await verify(key, signature, utf8(token.slice(0, token.lastIndexOf("."))));
  return isSigned ? (readJson(readUtf8(claims)) ?? undefined) : undefined;
}

/**
 * What is in an `encryptedOtpBundle`: `{ code, publicKey }`. `"malformed"` if it is none, `"sealed"`
 * if it does not open with this key.
 */
export async function openOtpBundle(receiver, text) {
  const bundle = readJson(text);
  if (!isTexts(bundle, ["encappedPublic", "ciphertext"]) || bundle.encappedPublic.length !== 130) return "malformed";
  const [enc, ciphertext] = [await readPublicKey(bundle.encappedPublic), readHex(bundle.ciphertext)];
  if (enc === undefined || ciphertext === undefined) return "malformed";
  const plaintext = await open(receiver, enc, ciphertext);
  if (plaintext === undefined) return "sealed";
  const attempt = readJson(readUtf8(plaintext));
  if (!isTexts(attempt, ["otp_code", "public_key"])) return "malformed";
  const publicKey = await readPublicKey(attempt.public_key);
  return publicKey === undefined ? "malformed" : { code: attempt.otp_code, publicKey };
}

/** The key that a stamp names, and its signature; undefined if it is no stamp. */
export async function readStamp(header) {
  const bytes = readBase64url(header);
  const stamp = bytes && readJson(readUtf8(bytes));
  if (!isTexts(stamp, ["publicKey", "scheme", "signature"]) || stamp.publicKey.length !== 66) return undefined;
  if (stamp.scheme !== "SIGNATURE_SCHEME_TK_API_P256") return undefined;
  const [publicKey, signature] = [await readPublicKey(stamp.publicKey), readDer(readHex(stamp.signature))];
  return publicKey && signature && { publicKey, signature };
}
