// The other side's arithmetic, written out once more: what a key agreement computes with a private
// key that was drawn, and the nonce behind a signature. Not fast, and not constant in time.

import { fromHex, hex, utf8 } from "./subject.mjs";

/** FIPS 186-4, D.1.2.3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const G = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

const mod = (number, modulus) => ((number % modulus) + modulus) % modulus;
function inverse(number, modulus) {
  let [a, b, x, y] = [mod(number, modulus), modulus, 1n, 0n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return mod(x, modulus);
}
function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
/** In Jacobian coordinates: "add-1998-cmo-2" and "dbl-2001-b" of the Explicit-Formulas Database. */
function double([x, y, z]) {
  const [yy, zz] = [mod(y * y, P), mod(z * z, P)];
  const s = mod(4n * x * yy, P);
  const m = mod(3n * (x - zz) * (x + zz), P);
  const u = mod(m * m - 2n * s, P);
  return [u, mod(m * (s - u) - 8n * yy * yy, P), mod(2n * y * z, P)];
}
function add(a, b) {
  if (!a) return b;
  const [[x, y, z], [u, v, w]] = [a, b];
  const [zz, ww] = [mod(z * z, P), mod(w * w, P)];
  const [u1, s1] = [mod(x * ww, P), mod(y * w * ww, P)];
  const h = mod(u * zz - u1, P);
  const r = mod(v * z * zz - s1, P);
  const hh = mod(h * h, P);
  const x3 = mod(r * r - h * hh - 2n * u1 * hh, P);
  return [x3, mod(r * (u1 * hh - x3) - s1 * h * hh, P), mod(h * z * w, P)];
}
/** Of a number that is neither 0 nor n: then no sum is of a point and itself. */
function multiply(scalar, [x, y]) {
  let result;
  for (let power = [x, y, 1n]; scalar > 0n; scalar >>= 1n) {
    if (scalar & 1n) result = add(result, power);
    power = double(power);
  }
  const over = inverse(result[2], P);
  return [mod(result[0] * over * over, P), mod(result[1] * over * over * over, P)];
}

const bytes32 = (number) => fromHex(number.toString(16).padStart(64, "0"));
export const numberOf = (bytes) => BigInt(`0x${hex(bytes)}`);

/** SEC1, compressed or not. */
export function pointOf(bytes) {
  const x = numberOf(bytes.subarray(1, 33));
  if (bytes[0] === 4) return [x, numberOf(bytes.subarray(33))];
  const root = power(mod(x * x * x - 3n * x + B, P), (P + 1n) / 4n);
  return [x, Boolean(root & 1n) === (bytes[0] === 3) ? root : P - root];
}
const uncompressed = ([x, y]) => Uint8Array.of(4, ...bytes32(x), ...bytes32(y));

/** The public key of 32 bytes, SEC1 uncompressed, or nothing where they are no private key. */
export function publicKeyOf(privateKey) {
  const number = numberOf(privateKey);
  return number > 0n && number < N ? uncompressed(multiply(number, G)) : undefined;
}

const HASH = { name: "HMAC", hash: "SHA-256" };
async function hmac(key, ...parts) {
  const imported = await crypto.subtle.importKey("raw", key.length ? key : new Uint8Array(32), HASH, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, Uint8Array.from(parts.flatMap((part) => [...part]))));
}

const KEM = [...utf8("KEM"), 0x00, 0x10];
const SUITE = [...utf8("HPKE"), 0x00, 0x10, 0x00, 0x01, 0x00, 0x02];
const NONE = new Uint8Array();
const labeled = (suite, label, value) => [...utf8("HPKE-v1"), ...suite, ...utf8(label), ...value];
const extract = (suite, salt, label, value) => hmac(salt, labeled(suite, label, value));
/** Of at most one block. */
const expand = async (suite, prk, label, info, length) =>
  (await hmac(prk, [0, length], labeled(suite, label, info), [1])).subarray(0, length);

/** RFC 9180, base mode: all that is secret between a private key of either side and the other side's public one. */
export async function hpkeSecrets(privateKey, theirs, enc, receiver) {
  const [x] = multiply(numberOf(privateKey), pointOf(theirs));
  const dh = bytes32(x);
  const [encapped, public_] = [enc, receiver].map((key) => uncompressed(pointOf(key)));
  const eaePrk = await extract(KEM, NONE, "eae_prk", dh);
  const sharedSecret = await expand(KEM, eaePrk, "shared_secret", [...encapped, ...public_], 32);
  const context = [0, ...(await extract(SUITE, NONE, "psk_id_hash", NONE)), ...(await extract(SUITE, NONE, "info_hash", utf8("turnkey_hpke")))];
  const secret = await extract(SUITE, sharedSecret, "secret", NONE);
  const key = await expand(SUITE, secret, "key", context, 32);
  const nonce = await expand(SUITE, secret, "base_nonce", context, 12);
  const exporter = await expand(SUITE, secret, "exp", context, 32);
  // GCM's: AES of zeros.
  const aes = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  const ghash = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CTR", counter: new Uint8Array(16), length: 64 }, aes, new Uint8Array(16)));
  return { dh, eaePrk, sharedSecret, secret, key, nonce, exporter, ghash };
}

/** The AES-GCM plaintext, so that it is seen that these are the secrets. */
export async function hpkeOpen({ key, nonce }, enc, receiver, ciphertext) {
  const additionalData = Uint8Array.from([enc, receiver].flatMap((point) => [...uncompressed(pointOf(point))]));
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData }, imported, ciphertext));
}

/** The nonce of a stamp's signature, and its negative: whoever has one has the key. */
export async function noncesOf(stamp, payload, privateKey) {
  const { signature } = JSON.parse(atob(stamp.replaceAll("-", "+").replaceAll("_", "/")));
  const der = fromHex(signature);
  const r = numberOf(der.subarray(4, 4 + der[3]));
  const at = 4 + der[3];
  const s = numberOf(der.subarray(at + 2, at + 2 + der[at + 1]));
  const z = numberOf(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(payload))));
  const nonce = mod(inverse(s, N) * (z + r * numberOf(privateKey)), N);
  if (mod(multiply(nonce, G)[0], N) !== r) throw new Error("this is not the nonce");
  return [bytes32(nonce), bytes32(N - nonce)];
}
