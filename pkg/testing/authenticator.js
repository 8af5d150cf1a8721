// An authenticator that does as it is told, in the place of navigator.credentials.

import { invalidArgument } from "../errors.js";
import { checkEnvironment, generateSigningKey, random, sha256, sign } from "./crypto.js";
import { base64url, cbor, concat, der, utf8 } from "./encoding.js";
import { FLAGS, isOriginOf } from "./webauthn.js";
import { counted } from "./work.js";

/** What a prompt can fail with: WebAuthn sections 5.1.3 and 5.1.4. */
const NAMES = [
  "AbortError",
  "ConstraintError",
  "InvalidStateError",
  "NotAllowedError",
  "NotReadableError",
  "NotSupportedError",
  "OperationError",
  "SecurityError",
  "TypeError",
  "UnknownError",
];
const ES256 = -7;
/** Timers cannot wait longer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The passkeys of one device. */
export class Device {
  passkeys = [];

  /** What a registration gives: `{ credentialId, clientDataJSON, attestationObject, authData, publicKey }`. */
  async make({ rpId, user, challenge, origin }) {
    const key = await generateSigningKey();
    const passkey = { credentialId: random(16), rpId, userHandle: user.id, userName: user.name, signCount: 0, key };
    const coordinates = [key.point.slice(1, 33), key.point.slice(33)];
    const cose = cbor(
      new Map([
        [1, 2],
        [3, ES256],
        [-1, 1],
        [-2, coordinates[0]],
        [-3, coordinates[1]],
      ]),
    );
    const attested = concat(new Uint8Array(16), [0, passkey.credentialId.length], passkey.credentialId, cose);
    const authData = concat(await this.#authenticatorData(passkey, FLAGS.attested), attested);
    const attestationObject = cbor(
      new Map([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", authData],
      ]),
    );
    this.passkeys.push(passkey);
    return {
      credentialId: passkey.credentialId,
      clientDataJSON: clientData("webauthn.create", challenge, origin),
      attestationObject,
      authData,
    };
  }

  /** What an assertion gives. */
  async use(passkey, { challenge, origin }) {
    passkey.signCount++;
    const clientDataJSON = clientData("webauthn.get", challenge, origin);
    const authenticatorData = await this.#authenticatorData(passkey, 0);
    const signature = der(await sign(passkey.key, concat(authenticatorData, await sha256(clientDataJSON))));
    return { clientDataJSON, authenticatorData, signature, userHandle: passkey.userHandle };
  }

  async #authenticatorData(passkey, more) {
    const flags = FLAGS.userPresent | FLAGS.userVerified | FLAGS.backupEligible | FLAGS.backedUp | more;
    const count = passkey.signCount;
    return concat(await sha256(utf8(passkey.rpId)), [
      flags,
      count >>> 24,
      (count >>> 16) & 255,
      (count >>> 8) & 255,
      count & 255,
    ]);
  }
}

/** As browsers write it: WebAuthn section 5.8.1.1. */
const clientData = (type, challenge, origin) =>
  utf8(JSON.stringify({ type, challenge: base64url(challenge), origin, crossOrigin: false }));

/** The device behind an authenticator, for the test Grid. */
const devices = new WeakMap();
export const deviceOf = (authenticator) => devices.get(authenticator);
export const originOf = (authenticator) => origins.get(authenticator);
const origins = new WeakMap();

/** The one that is installed. */
let installed;

export function createTestAuthenticator(options = {}) {
  checkEnvironment();
  if (installed) {
    throw invalidArgument(
      "There is a test authenticator already: call restore() of the other one first, best after each test.",
    );
  }
  const origin = options.origin ?? pageOrigin();
  if (typeof origin !== "string" || !isOrigin(origin)) {
    throw invalidArgument("`origin` must be the page's origin, e.g. https://wallet.example.");
  }
  const device = new Device();
  const prompts = { create: 0, get: 0 };
  const script = [];

  const prompt =
    (kind, ceremony) =>
    (request = {}) => {
      prompts[kind]++;
      return during(request, script.shift(), (publicKey) => ceremony(device, publicKey, origin));
    };
  const restore = install({ create: prompt("create", create), get: prompt("get", get) });

  const authenticator = {
    get prompts() {
      return { ...prompts };
    },
    get passkeys() {
      return device.passkeys.map(({ credentialId, rpId, userName, signCount }) => ({
        credentialId: base64url(credentialId),
        rpId,
        userName,
        signCount,
      }));
    },
    removePasskey(credentialId) {
      const at = device.passkeys.findIndex((passkey) => base64url(passkey.credentialId) === credentialId);
      if (at < 0) throw invalidArgument("This authenticator has no passkey of this `credentialId`: see `passkeys`.");
      device.passkeys.splice(at, 1);
    },
    cancelNext() {
      script.push({ fails: "NotAllowedError" });
    },
    failNext(name) {
      if (!NAMES.includes(name)) {
        throw invalidArgument(`\`name\` must be what a passkey prompt can fail with: ${NAMES.join(", ")}.`);
      }
      script.push({ fails: name });
    },
    delayNext(milliseconds) {
      if (!(milliseconds >= 0)) {
        throw invalidArgument(
          "`milliseconds` must be a number of at least 0; Infinity is a prompt that nobody answers.",
        );
      }
      script.push({ delay: milliseconds });
    },
    restore() {
      if (installed !== authenticator) return;
      installed = undefined;
      restore();
    },
  };
  if (Symbol.dispose) authenticator[Symbol.dispose] = authenticator.restore;
  devices.set(authenticator, device);
  origins.set(authenticator, origin);
  installed = authenticator;
  return authenticator;
}

function pageOrigin() {
  const { origin } = globalThis.location ?? {};
  // Of a page without an address it is the text "null".
  return origin && origin !== "null" ? origin : "http://localhost";
}

function isOrigin(text) {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

// ── Ceremonies ───────────────────────────────────────────────────────────────────────────────

/** One prompt, from opening to closing. */
async function during({ publicKey, signal }, { delay = 0, fails } = {}, ceremony) {
  if (signal?.aborted) throw signal.reason;
  if (!publicKey) throw failure("NotSupportedError", "There are passkeys here, and nothing else.");
  let closed;
  // Prompts close by themselves; how soon is advice.
  const waits = Math.min(delay, publicKey.timeout ?? Infinity);
  const answered =
    delay > 0
      ? new Promise((resolve) => (closed = waits <= MAX_DELAY_MS ? setTimeout(resolve, waits) : undefined))
      : undefined;
  try {
    const aborting = new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
    aborting.catch(() => {});
    if (answered) await Promise.race([answered, aborting]);
    if (waits < delay) throw failure("NotAllowedError", "The prompt timed out.");
    if (fails) throw failure(fails, "The test asked for this.");
    return await Promise.race([counted(() => ceremony(publicKey)), aborting]);
  } finally {
    clearTimeout(closed);
  }
}

async function create(device, publicKey, origin) {
  const { challenge, rp, user, pubKeyCredParams = [], excludeCredentials = [] } = publicKey;
  const rpId = relyingParty(rp?.id, origin);
  if (pubKeyCredParams.length > 0 && !pubKeyCredParams.some(({ alg }) => alg === ES256)) {
    throw failure("NotSupportedError", "This authenticator makes ES256 keys only.");
  }
  if (excludeCredentials.some(({ id }) => find(device, rpId, id))) {
    throw failure("InvalidStateError", "There is a passkey of this account here.");
  }
  const { credentialId, clientDataJSON, attestationObject, authData } = await device.make({
    rpId,
    user: { id: bytesOf(user.id), name: user.name },
    challenge: bytesOf(challenge),
    origin,
  });
  return credential(credentialId, {
    clientDataJSON: clientDataJSON.buffer,
    attestationObject: attestationObject.buffer,
    getTransports: () => ["internal", "hybrid"],
    getAuthenticatorData: () => authData.buffer,
    getPublicKeyAlgorithm: () => ES256,
  });
}

async function get(device, publicKey, origin) {
  const { challenge, allowCredentials = [] } = publicKey;
  const rpId = relyingParty(publicKey.rpId, origin);
  const passkey = allowCredentials.length
    ? allowCredentials.map(({ id }) => find(device, rpId, id)).find(Boolean)
    : device.passkeys.find((passkey) => passkey.rpId === rpId);
  if (!passkey) throw failure("NotAllowedError", "There is no such passkey on this device.");
  const { clientDataJSON, authenticatorData, signature, userHandle } = await device.use(passkey, {
    challenge: bytesOf(challenge),
    origin,
  });
  return credential(passkey.credentialId, {
    clientDataJSON: clientDataJSON.buffer,
    authenticatorData: authenticatorData.buffer,
    signature: signature.buffer,
    userHandle: userHandle.slice().buffer,
  });
}

/** The page's own domain, or one above it. */
function relyingParty(rpId, origin) {
  const id = rpId ?? new URL(origin).hostname;
  if (!isOriginOf(origin, id)) {
    throw failure("SecurityError", `A page of ${origin} may not use passkeys of another relying party.`);
  }
  return id;
}

function find(device, rpId, id) {
  const wanted = base64url(bytesOf(id));
  return device.passkeys.find((passkey) => passkey.rpId === rpId && base64url(passkey.credentialId) === wanted);
}

/** A copy of a BufferSource. */
const bytesOf = (source) =>
  new Uint8Array(
    ArrayBuffer.isView(source)
      ? source.buffer.slice(source.byteOffset, source.byteOffset + source.byteLength)
      : source.slice(0),
  );

/** A `TypeError` is none of DOM's. */
const failure = (name, message) => (name === "TypeError" ? new TypeError(message) : new DOMException(message, name));

// ── What pages look for ──────────────────────────────────────────────────────────────────────

class TestPublicKeyCredential {
  static async isUserVerifyingPlatformAuthenticatorAvailable() {
    return true;
  }
  static async isConditionalMediationAvailable() {
    return false;
  }
}

function credential(id, response) {
  const members = {
    id: base64url(id),
    rawId: id.slice().buffer,
    type: "public-key",
    authenticatorAttachment: "platform",
    response,
    getClientExtensionResults: () => ({}),
  };
  return Object.assign(new TestPublicKeyCredential(), members);
}

/** Puts them in place and returns what puts back what was there. */
function install(credentials) {
  const undo = [];
  const define = (object, name, value) => {
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: true });
    undo.unshift(() => (before ? Object.defineProperty(object, name, before) : delete object[name]));
  };
  // Node has had one since version 21.
  if (globalThis.navigator === undefined) define(globalThis, "navigator", {});
  define(globalThis.navigator, "credentials", credentials);
  define(globalThis, "PublicKeyCredential", TestPublicKeyCredential);
  if (globalThis.isSecureContext !== true) define(globalThis, "isSecureContext", true);
  return () => {
    for (const step of undo) step();
  };
}
