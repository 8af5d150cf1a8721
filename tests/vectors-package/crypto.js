// What vectors need around them, on WebCrypto: signatures and HPKE of the other side, from the RFCs.

export const utf8 = (text) => new TextEncoder().encode(text);

export const hex = {
  encode: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  decode: (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
};

export const toBase64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const concat = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** What is sealed in vectors that bring no plaintext: some private key. */
export const BYTES = Uint8Array.from({ length: 32 }, (_, index) => index + 1);

// Points: FIPS 186-4, D.1.2.3, and SEC1 section 2.3.

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

export const compressed = (point) => concat([2 | (point[64] & 1)], point.slice(1, 33));

export function decompressed(point) {
  if (point.length !== 33) return point;
  const x = BigInt(`0x${hex.encode(point.slice(1))}`);
  let [root, square] = [1n, (x ** 3n - 3n * x + B) % P];
  for (let exponent = (P + 1n) / 4n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) root = (root * square) % P;
    square = (square * square) % P;
  }
  const y = Number(root & 1n) === (point[0] & 1) ? root : P - root;
  return concat([4], point.slice(1), hex.decode(y.toString(16).padStart(64, "0")));
}

// Signatures

/** `30 len 02 len r 02 len s`: X.690 section 8.3. */
export function derOf(r, s) {
  const integer = (number) => {
    const digits = number.slice(number.findIndex((byte) => byte !== 0));
    const minimal = digits[0] < 0x80 ? digits : concat([0], digits);
    return concat([2, minimal.length], minimal);
  };
  const body = concat(integer(r), integer(s));
  return concat([0x30, body.length], body);
}

/** An enclave: its public key, and what it signs. */
export async function signingKey() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const publicKey = hex.encode(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  const sign = async (bytes) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes));
  return {
    publicKey,
    async envelope(data) {
      const signature = await sign(utf8(data));
      const dataSignature = hex.encode(derOf(signature.slice(0, 32), signature.slice(32)));
      return JSON.stringify({ version: "v1.0.0", data: hex.encode(utf8(data)), dataSignature, enclaveQuorumPublic: publicKey });
    },
    async jws(claims) {
      const input = [{ typ: "JWT", alg: "ES256" }, claims].map((part) => toBase64url(utf8(JSON.stringify(part)))).join(".");
      return `${input}.${toBase64url(await sign(utf8(input)))}`;
    },
  };
}

// HPKE: RFC 9180, base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM

const VERSION = utf8("HPKE-v1");
const KEM = concat(utf8("KEM"), [0x00, 0x10]);
const SUITE = concat(utf8("HPKE"), [0x00, 0x10, 0x00, 0x01, 0x00, 0x02]);
const INFO = utf8("turnkey_hpke");
const NONE = new Uint8Array();

/** LabeledExtract with an empty salt. */
async function extract(label, value) {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, concat(VERSION, SUITE, utf8(label), value)));
}

/** LabeledExtract and LabeledExpand in one. */
async function derive(suite, salt, [extracted, ikm], [expanded, info], length) {
  const key = await crypto.subtle.importKey("raw", concat(VERSION, suite, utf8(extracted), ikm), "HKDF", false, ["deriveBits"]);
  const label = concat([0, length], VERSION, suite, utf8(expanded), info);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info: label }, key, 8 * length));
}

/** Seals `plaintext` where `dh` is what the two keys agree on: section 4.1. */
export async function sealWithShared(enc, receiver, dh, plaintext) {
  const secret = await derive(KEM, NONE, ["eae_prk", dh], ["shared_secret", concat(enc, receiver)], 32);
  return sealWithSecret(enc, receiver, secret, plaintext);
}

/** As {@link sealWithShared}, from what the KEM makes of it: section 5.1. */
export async function sealWithSecret(enc, receiver, secret, plaintext) {
  const context = concat([0], await extract("psk_id_hash", NONE), await extract("info_hash", INFO));
  const raw = await derive(SUITE, secret, ["secret", NONE], ["key", context], 32);
  const iv = await derive(SUITE, secret, ["secret", NONE], ["base_nonce", context], 12);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: concat(enc, receiver) }, key, plaintext));
}

// Base58Check

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export async function base58Check(parts) {
  const payload = concat(...parts);
  const bytes = concat(payload, (await sha256(await sha256(payload))).slice(0, 4));
  let text = "";
  for (let number = BigInt(`0x${hex.encode(bytes)}`); number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  return "1".repeat(bytes.findIndex((byte) => byte !== 0)) + text;
}
