// The published vectors through the built package, in Node and in browsers alike: nothing here but
// what both have. `../vectors/INDEX.md` says how many of each file this runs, and why not all.

import { BYTES, base58Check, compressed, decompressed, derOf, hex, sealWithSecret, sealWithShared, sha256, signingKey, toBase64url, utf8 } from "./crypto.js";

/**
 * Runs all of it. `gridkey` is the package, loaded; `read` resolves to a file of `../vectors`. Resolves to
 * how many cases of each file were run, and throws at the first that goes another way.
 */
export async function run(gridkey, read) {
  const ran = {};
  for (const [file, check] of Object.entries(CHECKS)) {
    try {
      ran[file] = await check(gridkey, await read(file));
    } catch (error) {
      throw new Error(`${file}: ${error?.stack ?? error}`);
    }
  }
  return ran;
}

const CHECKS = {
  "wycheproof_ecdsa_secp256r1_sha256_test.json": ecdsa,
  "wycheproof_ecdh_secp256r1_ecpoint_test.json": ecdh,
  "hpke_rfc9180_p256_base.json": kem,
  "dhkem_p256_hkdf_sha256.json": kem,
  "ecdsa_rfc6979_p256_sha256.json": rfc6979,
  "base58check.json": base58check,
  "webauthn_l3_es256.json": webauthn,
  "turnkey_credential_bundle.json": credentialBundle,
  "turnkey_generated_bundles.json": generatedBundles,
  "turnkey_export_bundle.json": exportBundles,
  "turnkey_enclave_signature.json": enclaveSignatures,
  "turnkey_jwt.json": tokens,
  "turnkey_keys.json": keys,
  "turnkey_stamp.json": stamps,
  "passkey_challenge_oauth_nonce.json": challengesAndNonces,
  "intent.json": intents,
};

// Signatures

/** An export bundle is looked into only if its signature holds, so what is said of one tells. */
function ecdsa({ WalletExportKey }, { testGroups }) {
  let cases = 0;
  const key = WalletExportKey.generate();
  for (const { publicKey, tests } of testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      const verified = verifies(key, publicKey.uncompressed, msg, sig);
      equal(verified, result === "valid", `case ${tcId}`);
      cases++;
    }
  }
  return cases;
}

function verifies(key, enclaveKey, data, dataSignature) {
  const bundle = JSON.stringify({ version: "v1.0.0", data, dataSignature, enclaveQuorumPublic: enclaveKey });
  const { code, message } = refusal(() => key.open(bundle, { organizationId: "org", enclaveKey }));
  if (code === "bundle_untrusted") return false;
  equal(code, "bundle_malformed", message);
  return !message.includes("dataSignature");
}

async function rfc6979({ SessionKey }, { x, Ux, Uy, tests }) {
  const key = SessionKey.dangerouslyFromPrivateKey(hex.decode(x));
  equal(key.publicKeyUncompressed, `04${Ux}${Uy}`.toLowerCase());
  for (const { msg_utf8: message, r, s } of tests) {
    const { signature } = await stampOf(key, message);
    equal(signature, hex.encode(derOf(hex.decode(r), hex.decode(s))), message);
  }
  return tests.length;
}

function enclaveSignatures({ WalletExportKey }, { tests }) {
  const key = WalletExportKey.generate();
  for (const { id, quorumPublicKey, data, dataSignature, expect } of tests) {
    equal(verifies(key, quorumPublicKey, data, dataSignature), expect, id);
    equal(verifies(key, quorumPublicKey, data.slice(2), dataSignature), false, id);
    // It is the key that is pinned: without the option it is the same.
    const bundle = JSON.stringify({ version: "v1.0.0", data, dataSignature, enclaveQuorumPublic: quorumPublicKey });
    equal(refusal(() => key.open(bundle, { organizationId: "org" })).code, "bundle_malformed", id);
  }
  return tests.length;
}

async function stamps({ SessionKey }, { privateKey, publicKey, tests }) {
  const key = SessionKey.dangerouslyFromPrivateKey(hex.decode(privateKey));
  equal(key.publicKey, publicKey);
  for (const { payload, payloadUtf8Hex, headerValue } of tests) {
    equal(hex.encode(utf8(payload)), payloadUtf8Hex);
    equal(await key.dangerouslyStampUnchecked(payload), headerValue, payload);
  }
  return tests.length;
}

// Key agreement: what is sealed with the shared secret of a vector opens only if the package finds the
// same one.

async function ecdh({ SealedKeyReceiver, WalletExportKey, oauthNonce }, { testGroups }) {
  let cases = 0;
  const refused = await refuserOfPoints({ SealedKeyReceiver, WalletExportKey, oauthNonce });
  for (const { tests } of testGroups) {
    for (const { tcId, public: theirs, private: ours, shared, result } of tests) {
      cases++;
      if (result === "invalid") {
        await refused(theirs, `case ${tcId}`);
        continue;
      }
      // Wycheproof writes scalars as signed integers of any length.
      const scalar = hex.decode(ours.replace(/^0+/, "").padStart(64, "0"));
      const enc = decompressed(hex.decode(theirs));
      await opens(SealedKeyReceiver, scalar, enc, (receiver) => sealWithShared(enc, receiver, hex.decode(shared), BYTES), `case ${tcId}`);
    }
  }
  return cases;
}

async function kem({ SealedKeyReceiver, SessionKey }, { vectors }) {
  for (const { skEm, pkEm, skRm, pkRm, enc, shared_secret: secret } of vectors) {
    const point = hex.decode(enc);
    equal(SessionKey.dangerouslyFromPrivateKey(hex.decode(skEm)).publicKeyUncompressed, pkEm);
    equal(SealedKeyReceiver.dangerouslyFromPrivateKey(hex.decode(skRm)).publicKey, pkRm);
    await opens(SealedKeyReceiver, hex.decode(skRm), point, (receiver) => sealWithSecret(point, receiver, hex.decode(secret), BYTES), enc);
  }
  return vectors.length;
}

async function opens(SealedKeyReceiver, scalar, enc, seal, what) {
  const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(scalar);
  const ciphertext = await seal(hex.decode(receiver.publicKey));
  const bundle = await base58Check([compressed(enc), ciphertext]);
  const opened = receiver.open(bundle);
  equal(hex.encode(opened.dangerouslyExportPrivateKey()), hex.encode(BYTES), what);
  ciphertext[0] ^= 1;
  const altered = await base58Check([compressed(enc), ciphertext]);
  equal(refusal(() => receiver.open(altered)).code, "decrypt_failed", what);
}

/** Says of a text that is no point that it is none, in each of the places where one is read. */
async function refuserOfPoints({ SealedKeyReceiver, WalletExportKey, oauthNonce }) {
  const enclave = await signingKey();
  const [receiver, key] = [SealedKeyReceiver.generate(), WalletExportKey.generate()];
  return async (point, what) => {
    equal(refusal(() => oauthNonce(point)).code, "invalid_argument", what);
    const bundle = await enclave.envelope(JSON.stringify({ encappedPublic: point, ciphertext: "00".repeat(48), organizationId: "org" }));
    const { code, message } = refusal(() => key.open(bundle, { organizationId: "org", enclaveKey: enclave.publicKey }));
    equal(code, "bundle_malformed", what);
    includes(message, "encappedPublic", what);
    const bytes = hex.decode(point);
    const sealed = await base58Check([bytes, new Uint8Array(48)]);
    if (bytes.length === 33) equal(refusal(() => receiver.open(sealed)).code, "bundle_malformed", what);
  };
}

// Bundles

/** No vector is a sealed key, so each is refused: as Base58Check, or for what is in it. */
function base58check({ SealedKeyReceiver }, { valid, invalid }) {
  const receiver = SealedKeyReceiver.generate();
  const isBase58Check = (text) => {
    const { code, message } = refusal(() => receiver.open(text));
    equal(["bundle_malformed", "decrypt_failed"].includes(code), true, text);
    return !message.includes("as Base58Check");
  };
  for (const { string } of valid) equal(isBase58Check(string), true, string);
  for (const entry of invalid) equal(isBase58Check(entry.string ?? entry), false, JSON.stringify(entry));
  return valid.length + invalid.length;
}

function credentialBundle({ SealedKeyReceiver }, { tests }) {
  for (const vector of tests) {
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(hex.decode(vector.receiverPrivateKey));
    equal(receiver.publicKey, vector.receiverPublicKeyUncompressed);
    const session = receiver.open(vector.bundle);
    equal(session.publicKey, vector.sessionPublicKeyCompressed);
    equal(session.publicKeyUncompressed, vector.sessionPublicKeyUncompressed);
    equal(hex.encode(session.dangerouslyExportPrivateKey()), vector.plaintextHex);
  }
  return tests.length;
}

function generatedBundles({ SealedKeyReceiver }, { tests }) {
  for (const { id, bundle, receiverPrivateKey, plaintextHex, sessionPublicKeyCompressed, expect } of tests) {
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(hex.decode(receiverPrivateKey));
    if (expect === "ok") {
      const session = receiver.open(bundle);
      equal(session.publicKey, sessionPublicKeyCompressed, id);
      equal(hex.encode(session.dangerouslyExportPrivateKey()), plaintextHex, id);
    } else {
      const { code } = refusal(() => receiver.open(bundle));
      equal(["bundle_malformed", "decrypt_failed"].includes(code), true, `${id}: ${code}`);
    }
  }
  return tests.length;
}

function exportBundles({ WalletExportKey }, { tests, negatives }) {
  const [real] = tests;
  const key = WalletExportKey.dangerouslyFromPrivateKey(hex.decode(real.privateKey));
  for (const { id, exportBundle, organizationId } of negatives) {
    const { code } = refusal(() => key.open(exportBundle, { organizationId }));
    equal(code, ["missing-quorum", "version-other"].includes(id) ? "bundle_malformed" : "bundle_untrusted", id);
  }
  for (const { exportBundle, organizationId, privateKey, mnemonic, plaintextHex } of tests) {
    const opened = WalletExportKey.dangerouslyFromPrivateKey(hex.decode(privateKey)).open(exportBundle, { organizationId });
    equal(hex.encode(opened), plaintextHex);
    equal(new TextDecoder().decode(opened), mnemonic);
  }
  // No refusal used the key up.
  equal(hex.encode(key.open(real.exportBundle, { organizationId: real.organizationId })), real.plaintextHex);
  return tests.length + negatives.length;
}

// Keys and tokens

async function keys({ SessionKey, checkIntent, oauthNonce }, { apiKey, pkcs8, pointX00, badPrefix }) {
  equal(SessionKey.dangerouslyFromPrivateKey(hex.decode(apiKey.privateKey)).publicKey, apiKey.publicKeyCompressed);
  // RFC 5915: the public key ends the structure.
  const { publicKeyUncompressed } = SessionKey.dangerouslyFromPrivateKey(hex.decode(pkcs8.rawPrivateKey));
  equal(pkcs8.der.endsWith(publicKeyUncompressed), true, "pkcs8");

  // Both forms are one point: a token for the one is a token for the other.
  const enclave = await signingKey();
  const { compressed: short, uncompressed: long, invalidUncompressed } = pointX00;
  const now = 1_900_000_000_000;
  const claims = { contact: "a@b.example", verification_type: "OTP_TYPE_EMAIL", organization_id: "org", exp: String(now + 1) };
  for (const [inToken, expected] of [[short, long], [long, short], [long, long]]) {
    const token = await enclave.jws({ ...claims, public_key: inToken });
    const intent = { kind: "verifyOtp", publicKeyHex: expected, quorumPublicKey: enclave.publicKey };
    equal(checkIntent(token, intent, { now }).organizationId, "org");
    const negative = `03${short.slice(2)}`;
    equal(refusal(() => checkIntent(token, { ...intent, publicKeyHex: negative }, { now })).code, "intent_refused");
  }
  for (const refused of [invalidUncompressed, badPrefix]) equal(refusal(() => oauthNonce(refused)).code, "invalid_argument", refused);
  return 4;
}

/** By the enclave keys that are pinned. */
function tokens({ checkIntent }, { tests }) {
  for (const { id, kind, jwt, nowMs = 0, expect } of tests) {
    const claims = JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    const intent = { kind: "verifyOtp", publicKeyHex: claims.public_key, ...(kind === "otp" && { contact: claims.contact }) };
    const check = () => checkIntent(jwt, intent, { now: nowMs });
    if (kind !== "otp") equal(refusal(check).code, "bundle_untrusted", id);
    else if (expect) equal(check().organizationId, claims.organization_id, id);
    else equal(refusal(check).code, "challenge_expired", id);
  }
  return tests.length;
}

function challengesAndNonces({ oauthNonce, passkeyChallengeBytes }, { challenge, nonce }) {
  for (const vector of challenge) {
    const bytes = passkeyChallengeBytes(vector.challenge);
    equal(hex.encode(bytes), vector.challengeBytesHex);
    equal(toBase64url(bytes), vector.clientDataChallengeBase64url);
  }
  for (const vector of nonce) equal(oauthNonce(vector.clientPublicKey), vector.nonce);
  return challenge.length + nonce.length;
}

async function intents({ checkIntent }, { tests }) {
  for (const { id, payload, intent, expect } of tests) {
    // The examples carry times of their own.
    const said = JSON.parse(payload);
    const check = () => checkIntent(payload, intent, { now: Number(said.timestampMs) });
    if (expect === "accept") {
      const { organizationId, activityType, fingerprint } = check();
      equal(organizationId, said.organizationId, id);
      equal(activityType, said.type, id);
      equal(fingerprint, "allowBlindSigning" in intent ? hex.encode(await sha256(utf8(payload))) : undefined, id);
    } else {
      equal(refusal(check).code, "intent_refused", id);
    }
  }
  return tests.length;
}

/**
 * The registrations, as an authenticator would answer: the package holds the answer against the challenge. What
 * these challenges sign in is out of its reach: Grid's are 64 bytes of text.
 */
async function webauthn({ createPasskey }, { ceremonies }) {
  let answer;
  const restore = replaced({
    PublicKeyCredential: class {},
    navigator: { credentials: { create: async () => answer, get: async () => answer } },
  });
  try {
    for (const { title, registration } of ceremonies) {
      const { challenge, credential_id: id, clientDataJSON, attestationObject } = registration;
      const buffer = (text) => hex.decode(text).buffer;
      const response = { clientDataJSON: buffer(clientDataJSON), attestationObject: buffer(attestationObject), getTransports: () => ["internal"] };
      answer = { rawId: buffer(id), response };
      const asked = (bytes) => createPasskey({ nickname: "Phone", challenge: toBase64url(bytes), user: { id: "AQ", name: "a" } });
      const made = await asked(hex.decode(challenge));
      equal(made.credentialId, toBase64url(hex.decode(id)), title);
      equal(made.clientDataJson, toBase64url(hex.decode(clientDataJSON)), title);
      equal(made.attestationObject, toBase64url(hex.decode(attestationObject)), title);
      const other = hex.decode(challenge);
      other[0] ^= 1;
      const refused = await asked(other).then(() => undefined, ({ code }) => code);
      equal(refused, "passkey_rejected", title);
    }
  } finally {
    restore();
  }
  return ceremonies.length;
}

/** Puts values in the place of globals. Returns what takes them away again. */
function replaced(values) {
  const before = Object.keys(values).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(values)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  };
}

async function stampOf(key, payload) {
  const stamp = await key.dangerouslyStampUnchecked(payload);
  return JSON.parse(atob(stamp.replaceAll("-", "+").replaceAll("_", "/")));
}

/** The package's error. A WebAssembly trap, or anything else, is none. */
function refusal(call) {
  let result;
  try {
    result = call();
  } catch (error) {
    if (error?.name !== "GridkeyError") throw error;
    return error;
  }
  throw new Error(`not refused, but ${String(result)}`);
}

function equal(actual, expected, what = "") {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)} in place of ${String(expected)}`);
}

function includes(text, part, what) {
  if (!text.includes(part)) throw new Error(`${what}: no ${part} in ${text}`);
}
