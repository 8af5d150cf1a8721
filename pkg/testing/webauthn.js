// What a relying party checks of passkeys: WebAuthn Level 3, sections 7.1 and 7.2. ES256 only, as
// the test authenticator has it; attestation statements are not judged.

import { sha256, readPublicKey, verify } from "./crypto.js";
import {
  base64url,
  concat,
  hex,
  isEqual,
  readBase64url,
  readCbor,
  readDer,
  readJson,
  readUtf8,
  utf8,
} from "./encoding.js";
import { refusal } from "./refusal.js";

/** Flags of authenticator data: section 6.1. */
export const FLAGS = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extensions: 0x80,
};

const malformed = (message) => refusal(400, "INVALID_INPUT", "ATTESTATION_INVALID", message);

/** Whether pages of this origin may use passkeys of this relying party: its domain, or one below it. */
export function isOriginOf(origin, rpId) {
  try {
    const { hostname } = new URL(origin);
    return hostname === rpId || hostname.endsWith(`.${rpId}`);
  } catch {
    return false;
  }
}

/** A registration's key: `{ credentialId, publicKey, signCount }`. `challenge` is base64url. Throws a refusal. */
export async function checkAttestation(attestation, challenge, rpId) {
  const clientData = readClientData(attestation?.clientDataJson);
  if (clientData?.type !== "webauthn.create") throw malformed("clientDataJson is not that of a registration");
  if (clientData.challenge !== challenge) throw malformed("clientDataJson is of another challenge");
  if (!isOriginOf(clientData.origin, rpId)) {
    throw malformed("clientDataJson is of an origin that is not the relying party's");
  }

  const object = readBase64url(attestation.attestationObject);
  const { value: members, length } = (object && readCbor(object)) ?? {};
  if (!(members instanceof Map) || length !== object.length) throw malformed("attestationObject is malformed");
  const statement = members.get("attStmt");
  if (!(statement instanceof Map) || (members.get("fmt") === "none" && statement.size > 0)) {
    throw malformed("attestationObject is malformed");
  }
  const data = await readAuthenticatorData(members.get("authData"));
  if (!data?.credential) throw malformed("authData is malformed");
  if (!isEqual(data.rpIdHash, await sha256(utf8(rpId)))) throw malformed("authData is of another relying party");
  if (!(data.flags & FLAGS.userPresent)) throw malformed("nobody was present");
  const { credentialId, publicKey } = data.credential;
  if (attestation.credentialId !== credentialId) throw malformed("credentialId is not the attested one");
  return { credentialId, publicKey, signCount: data.signCount };
}

/** Checks an assertion and gives the new signature counter. `challenge` is base64url. Throws a refusal. */
export async function checkAssertion(passkey, assertion, challenge, rpId) {
  const refuse = (reason, message) => refusal(401, "UNAUTHORIZED", reason, message);
  if (assertion?.credentialId !== passkey.credentialId) {
    throw refuse("ASSERTION_CREDENTIAL_MISMATCH", "credentialId is another passkey's");
  }
  const clientData = readClientData(assertion.clientDataJson);
  if (clientData?.type !== "webauthn.get") {
    throw refuse("ASSERTION_MALFORMED", "clientDataJson is not that of an assertion");
  }
  if (clientData.challenge !== challenge) {
    throw refuse("ASSERTION_CHALLENGE_MISMATCH", "clientDataJson is of another challenge");
  }
  if (!isOriginOf(clientData.origin, rpId)) {
    throw refuse("ASSERTION_ORIGIN_NOT_ALLOWED", "the origin is not the relying party's");
  }

  const bytes = readBase64url(assertion.authenticatorData);
  const data = await readAuthenticatorData(bytes);
  const signature = readDer(readBase64url(assertion.signature));
  if (data === undefined || signature === undefined) {
    throw refuse("ASSERTION_MALFORMED", "authenticatorData or signature is malformed");
  }
  if (!isEqual(data.rpIdHash, await sha256(utf8(rpId)))) {
    throw refuse("ASSERTION_RP_ID_MISMATCH", "authenticatorData is of another relying party");
  }
  if (!(data.flags & FLAGS.userPresent)) throw refuse("ASSERTION_USER_NOT_PRESENT", "nobody was present");
  const signed = concat(bytes, await sha256(readBase64url(assertion.clientDataJson)));
  if (!(await verify(passkey.publicKey, signature, signed))) {
    throw refuse("ASSERTION_SIGNATURE_INVALID", "the signature does not verify");
  }
  // Section 7.2, step 22: authenticators without a counter always say 0.
  const counts = data.signCount !== 0 || passkey.signCount !== 0;
  if (counts && data.signCount <= passkey.signCount) {
    throw refuse("ASSERTION_COUNTER_NOT_INCREASED", "the signature counter did not increase");
  }
  return data.signCount;
}

function readClientData(text) {
  const bytes = readBase64url(text);
  return bytes && readJson(readUtf8(bytes));
}

/** Section 6.1. Undefined if it is malformed. */
async function readAuthenticatorData(bytes) {
  if (!(bytes instanceof Uint8Array) || bytes.length < 37) return undefined;
  const data = {
    rpIdHash: bytes.slice(0, 32),
    flags: bytes[32],
    signCount: Number.parseInt(hex(bytes.slice(33, 37)), 16),
  };
  let rest = bytes.slice(37);
  if (data.flags & FLAGS.attested) {
    const length = rest[16] * 256 + rest[17];
    const key = readCbor(rest.slice(18 + length));
    const publicKey = await readCoseKey(key?.value);
    if (publicKey === undefined) return undefined;
    data.credential = { credentialId: base64url(rest.slice(18, 18 + length)), publicKey };
    rest = rest.slice(18 + length + key.length);
  }
  if (data.flags & FLAGS.extensions) {
    const extensions = readCbor(rest);
    if (extensions === undefined) return undefined;
    rest = rest.slice(extensions.length);
  }
  return rest.length === 0 ? data : undefined;
}

/** An ES256 COSE_Key: RFC 9053 section 7.1.1. */
async function readCoseKey(key) {
  if (!(key instanceof Map) || key.get(1) !== 2 || key.get(3) !== -7 || key.get(-1) !== 1) return undefined;
  const [x, y] = [key.get(-2), key.get(-3)];
  if (x?.length !== 32 || y?.length !== 32) return undefined;
  return readPublicKey(hex(concat([4], x, y)));
}
