// A Grid with its relay, in memory: the protocol is the real one, and so is the cryptography.
//
// It has what a login page and a settings page use, for one account, and refuses what Grid refuses.

import { invalidArgument } from "../errors.js";
import { Device, deviceOf, originOf } from "./authenticator.js";
import {
  checkEnvironment,
  envelope,
  generateReceivingKey,
  generateSigningKey,
  jws,
  openOtpBundle,
  random,
  readJws,
  readPublicKey,
  readStamp,
  sealedSessionKey,
  sha256,
  verify,
  walletExport,
} from "./crypto.js";
import { base64url, hex, readJson, utf8 } from "./encoding.js";
import { Refusal, refusal } from "./refusal.js";
import { checkAssertion, checkAttestation } from "./webauthn.js";
import { counted } from "./work.js";

const MINUTE = 60_000;
/** As Grid documents them, but for codes, of which it does not say it. */
const LIVES = { session: 15 * MINUTE, challenge: 5 * MINUTE, otp: 5 * MINUTE, deviceCode: 60 * MINUTE };
/** A token may be so old when it comes, and so far ahead: `iat` has whole seconds. */
const MAX_TOKEN_AGE = MINUTE;
const MAX_TOKEN_LEAD = 1000;
const ISSUER = "https://id.example";
/** A test vector of BIP-39, known to everybody. */
const MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow";

const OTP = {
  EMAIL_OTP: { verification: "OTP_TYPE_EMAIL", setContact: ["ACTIVITY_TYPE_UPDATE_USER_EMAIL", "userEmail"] },
  SMS_OTP: { verification: "OTP_TYPE_SMS", setContact: ["ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER", "userPhoneNumber"] },
};

/** What gridkey can ask for; what has no function here is refused as a relay does. */
const OPERATIONS = {
  authorizeQuote: undefined,
  challengeAuthCredential,
  createAuthCredential,
  createDelegatedKey: undefined,
  createPasskeyRegistrationOptions,
  createQuote: undefined,
  executeQuote: undefined,
  exportInternalAccount,
  getAgentDeviceCodeStatus,
  getDelegatedKeyById: undefined,
  getQuoteById: undefined,
  listAuthCredentials,
  listAuthSessions,
  listCustomerInternalAccounts: undefined,
  listDelegatedKeys: undefined,
  refreshAuthSession,
  regenerateAgentDeviceCode,
  resendQuoteScaCode: undefined,
  revokeAuthCredential,
  revokeAuthSession,
  revokeDelegatedKey: undefined,
  signedRequest: undefined,
  updateCustomerById: undefined,
  updateInternalAccount: undefined,
  verifyAuthCredential,
};

export async function createTestGrid(options = {}) {
  checkEnvironment();
  const {
    accountId = "InternalAccount:00000000-0000-4000-8000-000000000001",
    agentId = "Agent:00000000-0000-4000-8000-000000000001",
    organizationId = "00000000-0000-4000-8000-0000000000aa",
    email = "jane@example.com",
    phoneNumber = "+14155550123",
    rpId = globalThis.location?.hostname || "localhost",
    sessionLifeMs = LIVES.session,
    challengeLifeMs = LIVES.challenge,
    otpLifeMs = LIVES.otp,
    now = () => Date.now(),
  } = options;
  for (const [name, value] of Object.entries({ accountId, agentId, organizationId, email, phoneNumber, rpId })) {
    if (typeof value !== "string" || value === "") throw invalidArgument(`\`${name}\` must be a text.`);
  }
  for (const [name, value] of Object.entries({ sessionLifeMs, challengeLifeMs, otpLifeMs })) {
    if (!(typeof value === "number" && value > 0)) {
      throw invalidArgument(`\`${name}\` must be a number of milliseconds above 0.`);
    }
  }
  if (typeof now !== "function") throw invalidArgument("`now` must be a function that gives milliseconds since 1970.");

  const [otpKey, exportKey, providerKey] = await Promise.all([
    generateSigningKey(),
    generateSigningKey(),
    generateSigningKey(),
  ]);
  let ids = 0;
  const grid = {
    account: {
      id: accountId,
      organizationId,
      userId: "00000000-0000-4000-8000-0000000000ab",
      walletId: "00000000-0000-4000-8000-0000000000ac",
    },
    agentId,
    contacts: { EMAIL_OTP: email, SMS_OTP: phoneNumber },
    rpId,
    lives: { session: sessionLifeMs, challenge: challengeLifeMs, otp: otpLifeMs },
    now,
    otpKey,
    exportKey,
    providerKey,
    credentials: [],
    sessions: [],
    signedRequests: new Map(),
    passkeyChallenges: new Map(),
    registrations: new Map(),
    deviceCodes: [],
    lastCode: undefined,
    newId: (prefix) => `${prefix}:00000000-0000-4000-8000-${(++ids).toString().padStart(12, "0")}`,
  };
  const calls = [];
  const failures = [];

  return {
    accountId,
    agentId,
    organizationId,
    enclave: { dangerouslyTrust: { otp: otpKey.uncompressed, export: exportKey.uncompressed } },
    calls,
    get lastCode() {
      return grid.lastCode;
    },
    get authMethods() {
      return grid.credentials.map(authMethod);
    },
    get sessions() {
      return grid.sessions.map((session) => sessionRecord(grid, session));
    },
    addEmailOtp: () => authMethod(addOtp(grid, "EMAIL_OTP")),
    addSmsOtp: () => authMethod(addOtp(grid, "SMS_OTP")),
    addPasskey: (passkey) => counted(() => addPasskey(grid, passkey)),
    addOAuth: (identity) => authMethod(addOAuth(grid, identity)),
    idToken: (claims) => counted(() => idToken(grid, claims)),
    expireChallenges() {
      const at = now();
      const pending = [
        ...grid.signedRequests.values(),
        ...grid.passkeyChallenges.values(),
        ...grid.registrations.values(),
      ];
      for (const expiring of [...pending, ...grid.credentials.flatMap(({ issued }) => issued ?? [])]) {
        expiring.expiresAt = Math.min(expiring.expiresAt, at);
      }
    },
    expireSessions() {
      for (const session of grid.sessions) session.expiresAt = Math.min(session.expiresAt, now());
    },
    failNext(operation, failure, { times = 1, leg } = {}) {
      if (!Object.hasOwn(OPERATIONS, operation)) {
        throw invalidArgument(`\`operation\` must be one of ${Object.keys(OPERATIONS).join(", ")}.`);
      }
      checkFailure(failure);
      if (!(Number.isInteger(times) && times > 0)) {
        throw invalidArgument("`times` must be a whole number of at least 1.");
      }
      if (![undefined, 1, 2].includes(leg)) throw invalidArgument("`leg` must be 1 or 2.");
      failures.push({ operation, failure, times, leg });
    },
    async transport(call) {
      const record = {
        operation: call.operation,
        leg: call.stamp === undefined ? 1 : 2,
        params: call.params,
        body: readJson(call.body),
        status: undefined,
      };
      calls.push(record);
      const failure = nextFailure(failures, record);
      if (failure === "network") throw new TypeError("The test asked for a failure of the network.");
      if (failure === "hang") return hang(call.signal);
      const reply = failure ? failed(failure) : await counted(() => answer(grid, call, record.body));
      record.status = reply.status;
      return { ...reply, dateMs: now() };
    },
  };
}

// ── What goes wrong on request ───────────────────────────────────────────────────────────────

function checkFailure(failure) {
  if (failure === "network" || failure === "hang") return;
  const { status } = failure ?? {};
  if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
    throw invalidArgument(
      '`failure` must be "network", "hang" or { status, code?, message?, details?, retryAfterMs?, body? } with a status from 400 to 599.',
    );
  }
  if (failure.code !== undefined && failure.body !== undefined) {
    throw invalidArgument("`failure` has a `code`, of which a body is made, or a `body` of its own; not both.");
  }
}

function nextFailure(failures, { operation, leg }) {
  const at = failures.findIndex((next) => next.operation === operation && (next.leg ?? leg) === leg);
  if (at < 0) return undefined;
  const next = failures[at];
  if (--next.times === 0) failures.splice(at, 1);
  return next.failure;
}

/** Without a code it is the platform's answer, and not Grid's. */
function failed({ status, code, message = "The test asked for this.", details = {}, retryAfterMs, body = {} }) {
  return { status, body: code === undefined ? body : { status, code, message, details }, retryAfterMs };
}

const hang = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

// ── Requests ─────────────────────────────────────────────────────────────────────────────────

async function answer(grid, call, body) {
  const operation = Object.hasOwn(OPERATIONS, call.operation) ? OPERATIONS[call.operation] : undefined;
  try {
    if (!operation) {
      throw refusal(
        501,
        "NOT_IMPLEMENTED",
        "NOT_IN_TEST_GRID",
        `The test Grid has no ${call.operation}: answer it in a transport of your own.`,
      );
    }
    return await operation(grid, { ...call, id: call.params.id, json: body });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: error.body };
  }
}

const ok = (status, body) => ({ status, body });
const invalid = (reason, message) => refusal(400, "INVALID_INPUT", reason, message);
const unauthorized = (reason, message) => refusal(401, "UNAUTHORIZED", reason, message);
const notFound = (reason, message) => refusal(404, "REFERENCE_NOT_FOUND", reason, message);
const badSignature = (reason, message) => refusal(401, "WALLET_SIGNATURE_INVALID", reason, message);

const rfc3339 = (milliseconds) => new Date(milliseconds).toISOString();

function members(body, texts) {
  if (texts.every((name) => typeof body?.[name] === "string")) return body;
  throw invalid("BODY_MALFORMED", `The body must have the texts ${texts.join(", ")}.`);
}

function find(list, id, reason, what) {
  const found = list.find((item) => item.id === id);
  if (!found) throw notFound(reason, `There is no such ${what}.`);
  return found;
}

const credentialOf = (grid, id) => find(grid.credentials, id, "CREDENTIAL_NOT_FOUND", "credential");
const sessionOf = (grid, id) => find(grid.sessions, id, "SESSION_NOT_FOUND", "session");

function checkAccount(grid, accountId) {
  if (accountId !== grid.account.id) throw notFound("ACCOUNT_NOT_FOUND", "There is no such account.");
}

async function clientPublicKey(text) {
  const key = await readPublicKey(text);
  if (!key) {
    throw invalid("CLIENT_PUBLIC_KEY_INVALID", "clientPublicKey must be a P-256 key of 66 or 130 hexadecimal digits.");
  }
  // The encoding that is sent says how the session gets its key.
  return { ...key, text, isSealed: text.length === 130 };
}

/** `payloadToSign`: one of Turnkey's activities, with members in the order of their names. */
const activity = ({ account, now }, type, parameters) =>
  JSON.stringify({ organizationId: account.organizationId, parameters, timestampMs: String(now()), type });

// ── The signed retry ─────────────────────────────────────────────────────────────────────────

/** A first leg's answer. `isSigner` says whether a key may stamp, or why not. */
function askForStamp(grid, call, payloadToSign, isSigner, type) {
  const requestId = grid.newId("Request");
  const expiresAt = grid.now() + grid.lives.challenge;
  const { method, path, body } = call;
  grid.signedRequests.set(requestId, {
    method,
    path,
    body,
    payloadToSign,
    isSigner,
    issuedAt: grid.now(),
    expiresAt,
    isUsed: false,
  });
  return ok(202, { payloadToSign, requestId, expiresAt: rfc3339(expiresAt), ...(type && { type }) });
}

/** The two legs of an operation: `first` asks for the stamp, `second` gets what was asked and whose key stamped. */
async function legs(grid, call, first, second) {
  if (call.requestId === undefined && call.stamp === undefined) return first();
  if (call.requestId === undefined) throw requestIdMissing();
  if (call.stamp === undefined) {
    throw refusal(
      401,
      "WALLET_SIGNATURE_MISSING",
      "SIGNATURE_MISSING",
      "Grid-Wallet-Signature is required on the signed retry.",
    );
  }
  const pending = takePending(
    grid,
    grid.signedRequests,
    call.requestId,
    ({ method, path }) => method === call.method && path === call.path,
  );
  if (pending.body !== call.body) {
    throw refusal(
      401,
      "WALLET_SIGNATURE_BODY_MISMATCH",
      "BODY_CHANGED",
      "The body is not the one that the payload was made for.",
    );
  }
  const stamp = await readStamp(call.stamp);
  if (!stamp) throw refusal(401, "WALLET_SIGNATURE_MALFORMED", "STAMP_MALFORMED", "Grid-Wallet-Signature is no stamp.");
  const { publicKey, signature } = stamp;
  pending.isSigner(publicKey.compressed);
  if (!(await verify(publicKey, signature, utf8(pending.payloadToSign)))) {
    throw badSignature("STAMP_SIGNATURE_INVALID", "Grid-Wallet-Signature is not over payloadToSign.");
  }
  return second(publicKey, pending);
}

const requestIdMissing = () => refusal(401, "REQUEST_ID_MISSING", "REQUEST_ID_MISSING", "Request-Id is required.");

/** What a request id stands for, which is used up by this, whatever comes of it. */
function takePending(grid, all, requestId, isOfThisRequest) {
  const pending = all.get(requestId);
  if (!pending) throw unauthorized("REQUEST_ID_UNKNOWN", "There is no such pending request.");
  if (!isOfThisRequest(pending)) {
    throw unauthorized("REQUEST_ID_OF_ANOTHER_REQUEST", "Request-Id is another request's.");
  }
  if (pending.isUsed) throw unauthorized("REQUEST_ID_USED", "Request-Id was used before.");
  pending.isUsed = true;
  if (grid.now() >= pending.expiresAt) throw unauthorized("REQUEST_ID_EXPIRED", "The pending request expired.");
  return pending;
}

const isActive = (grid, session) => !session.isRevoked && grid.now() < session.expiresAt;

const activeSession = (grid, publicKey) =>
  grid.sessions.find((session) => session.publicKey === publicKey && isActive(grid, session));

/** Throws where a key is that of no active session. */
function byActiveSession(grid) {
  return (publicKey) => {
    const session = activeSession(grid, publicKey);
    if (!session) {
      throw badSignature("STAMP_KEY_NOT_OF_ACTIVE_SESSION", "The stamp's key is that of no active session.");
    }
    return session;
  };
}

// ── Credentials ──────────────────────────────────────────────────────────────────────────────

function authMethod({ id, accountId, type, nickname, createdAt, updatedAt, passkey }) {
  return {
    id,
    accountId,
    type,
    ...(passkey && { credentialId: passkey.credentialId }),
    nickname,
    createdAt: rfc3339(createdAt),
    updatedAt: rfc3339(updatedAt),
  };
}

function addCredential(grid, type, nickname, more) {
  const at = grid.now();
  const credential = {
    id: grid.newId("AuthMethod"),
    accountId: grid.account.id,
    type,
    nickname,
    createdAt: at,
    updatedAt: at,
    turnkeyId: grid.newId("Turnkey"),
    ...more,
  };
  grid.credentials.push(credential);
  return credential;
}

function addOtp(grid, type) {
  if (grid.credentials.some((credential) => credential.type === type)) {
    throw invalidArgument(`The account has its one ${type} credential already: see \`authMethods\`.`);
  }
  return addCredential(grid, type, grid.contacts[type]);
}

/** Registers a passkey as a page does, without the page: what the device makes is checked like any other. */
async function addPasskey(grid, { authenticator, nickname = "Passkey" } = {}) {
  const device = authenticator ? deviceOf(authenticator) : new Device();
  if (!device) throw invalidArgument("`authenticator` must come from createTestAuthenticator().");
  const name = readNickname(nickname);
  if (!name) throw invalidArgument("`nickname` must be 1 to 100 letters, numbers, spaces and . _ - ' ( )");
  const challenge = random(32);
  const origin = authenticator ? originOf(authenticator) : `https://${grid.rpId}`;
  const made = await device.make({
    rpId: grid.rpId,
    user: { id: utf8(grid.account.userId), name: grid.contacts.EMAIL_OTP },
    challenge,
    origin,
  });
  const attestation = {
    credentialId: base64url(made.credentialId),
    clientDataJson: base64url(made.clientDataJSON),
    attestationObject: base64url(made.attestationObject),
  };
  try {
    const passkey = await checkAttestation(attestation, base64url(challenge), grid.rpId);
    return authMethod(addCredential(grid, "PASSKEY", name, { passkey }));
  } catch (error) {
    device.passkeys.pop();
    if (error instanceof Refusal) {
      throw invalidArgument(
        `The passkey was refused: ${error.body.message}. Is \`rpId\` the domain of the authenticator's \`origin\`, or one above it?`,
      );
    }
    throw error;
  }
}

function addOAuth(grid, { subject = "1", clientId = "client-1", email = grid.contacts.EMAIL_OTP } = {}) {
  return addCredential(grid, "OAUTH", email, { identity: JSON.stringify([ISSUER, clientId, subject]) });
}

/** An ID token of the provider that the test Grid knows. */
async function idToken(grid, { nonce, subject = "1", clientId = "client-1", email = grid.contacts.EMAIL_OTP } = {}) {
  const seconds = Math.floor(grid.now() / 1000);
  return jws(grid.providerKey, {
    iss: ISSUER,
    sub: subject,
    aud: clientId,
    iat: seconds,
    exp: seconds + 600,
    email,
    ...(nonce !== undefined && { nonce }),
  });
}

/** The claims of an ID token that was fresh at `at`. */
async function readIdToken(grid, token, at) {
  const claims = await readJws(grid.providerKey, token);
  if (!claims) {
    throw unauthorized(
      "OIDC_SIGNATURE_INVALID",
      "oidcToken is none of the test Grid's provider: make it by idToken().",
    );
  }
  const age = at - claims.iat * 1000;
  if (age < -MAX_TOKEN_LEAD || age >= MAX_TOKEN_AGE) {
    throw unauthorized("OIDC_TOKEN_STALE", "oidcToken was not issued within the last 60 seconds.");
  }
  return { ...claims, identity: JSON.stringify([claims.iss, claims.aud, claims.sub]) };
}

function readNickname(nickname) {
  const trimmed = typeof nickname === "string" ? nickname.trim() : "";
  return /^[\p{L}\p{N} ._\-'()]{1,100}$/u.test(trimmed) ? trimmed : undefined;
}

function listAuthCredentials(grid, { params }) {
  return ok(200, { data: params.accountId === grid.account.id ? grid.credentials.map(authMethod) : [] });
}

function createPasskeyRegistrationOptions(grid, call) {
  const { accountId } = members(call.json, ["accountId"]);
  checkAccount(grid, accountId);
  const challenge = base64url(random(32));
  const expiresAt = grid.now() + grid.lives.challenge;
  grid.registrations.set(challenge, { expiresAt });
  const passkeys = grid.credentials.flatMap(({ passkey }) => passkey ?? []);
  return ok(200, {
    challenge,
    expiresAt: rfc3339(expiresAt),
    rp: { id: grid.rpId, name: "Test" },
    user: {
      id: base64url(utf8(grid.account.userId)),
      name: grid.contacts.EMAIL_OTP,
      displayName: grid.contacts.EMAIL_OTP,
    },
    excludeCredentials: passkeys.map(({ credentialId }) => ({ type: "public-key", id: credentialId })),
  });
}

async function createAuthCredential(grid, call) {
  const { type, accountId } = members(call.json, ["type", "accountId"]);
  checkAccount(grid, accountId);
  const check = { EMAIL_OTP: checkNewOtp, SMS_OTP: checkNewOtp, OAUTH: checkNewOAuth, PASSKEY: checkNewPasskey }[type];
  if (!check) throw invalid("CREDENTIAL_TYPE_UNSUITABLE", "type is no kind of credential.");
  const first = async () => {
    const { nickname, more, payload } = await check(grid, call.json, grid.now());
    // A wallet without any credential has nobody who could sign.
    if (grid.credentials.length === 0) return ok(201, authMethod(addCredential(grid, type, nickname, more)));
    return askForStamp(grid, call, payload, byActiveSession(grid), type);
  };
  return legs(grid, call, first, async (_, { issuedAt }) => {
    // A token that was fresh on the first leg may age till the second.
    const { nickname, more } = await check(grid, call.json, issuedAt);
    if (type === "PASSKEY") grid.registrations.delete(call.json.challenge);
    const credential = addCredential(grid, type, nickname, more);
    return ok(201, { ...authMethod(credential), ...(type in OTP && (await sendCode(grid, credential))) });
  });
}

async function checkNewOtp(grid, { type }) {
  const { setContact } = OTP[type];
  const contact = grid.contacts[type];
  if (grid.credentials.some((credential) => credential.type === type)) {
    throw refusal(
      400,
      `${type}_CREDENTIAL_ALREADY_EXISTS`,
      `${type}_CREDENTIAL_EXISTS`,
      `The account has an ${type} credential.`,
    );
  }
  const [kind, name] = setContact;
  return { nickname: contact, payload: activity(grid, kind, { [name]: contact, userId: grid.account.userId }) };
}

async function checkNewOAuth(grid, body, at) {
  const { oidcToken } = members(body, ["oidcToken"]);
  const { identity, email, sub } = await readIdToken(grid, oidcToken, at);
  const oauthProviders = [{ oidcToken, providerName: new URL(ISSUER).hostname }];
  return {
    nickname: email ?? sub,
    more: { identity },
    payload: activity(grid, "ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS", { oauthProviders, userId: grid.account.userId }),
  };
}

async function checkNewPasskey(grid, body, at) {
  const { challenge, attestation } = members(body, ["challenge", "nickname"]);
  const nickname = readNickname(body.nickname);
  if (!nickname) {
    throw invalid("NICKNAME_INVALID", "nickname must be 1 to 100 letters, numbers, spaces and . _ - ' ( )");
  }
  const issued = grid.registrations.get(challenge);
  if (!issued || at >= issued.expiresAt) {
    throw invalid(
      "REGISTRATION_CHALLENGE_UNKNOWN",
      "The challenge is unknown, expired or used: ask for registration options again.",
    );
  }
  const passkey = await checkAttestation(attestation, challenge, grid.rpId);
  if (grid.credentials.some((credential) => credential.passkey?.credentialId === passkey.credentialId)) {
    throw refusal(
      400,
      "PASSKEY_CREDENTIAL_ALREADY_EXISTS",
      "PASSKEY_CREDENTIAL_EXISTS",
      "The account has this passkey.",
    );
  }
  const { attestationObject, clientDataJson, credentialId, transports } = attestation;
  const authenticators = [
    {
      attestation: { attestationObject, clientDataJson, credentialId },
      authenticatorName: nickname,
      challenge,
      transports,
    },
  ];
  return {
    nickname,
    more: { passkey },
    payload: activity(grid, "ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2", { authenticators, userId: grid.account.userId }),
  };
}

async function revokeAuthCredential(grid, call) {
  const credential = credentialOf(grid, call.id);
  if (grid.credentials.length === 1) throw invalid("LAST_CREDENTIAL", "An account keeps at least one credential.");
  const { account } = grid;
  const isSigner = (publicKey) => {
    if (byActiveSession(grid)(publicKey).credential === credential) {
      throw badSignature(
        "STAMP_KEY_OF_REVOKED_CREDENTIAL",
        "The stamp's key is that of a session of the credential to be revoked.",
      );
    }
  };
  // Grid documents the activity of passkeys only; that of providers is Turnkey's, those of codes are guesses.
  const { userId } = account;
  const [type, parameters] = {
    EMAIL_OTP: ["ACTIVITY_TYPE_DELETE_USER_EMAIL", { userId }],
    SMS_OTP: ["ACTIVITY_TYPE_DELETE_USER_PHONE_NUMBER", { userId }],
    OAUTH: ["ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS", { providerIds: [credential.turnkeyId], userId }],
    PASSKEY: ["ACTIVITY_TYPE_DELETE_AUTHENTICATORS", { authenticatorIds: [credential.turnkeyId], userId }],
  }[credential.type];
  return legs(
    grid,
    call,
    () => askForStamp(grid, call, activity(grid, type, parameters), isSigner, credential.type),
    () => {
      grid.credentials = grid.credentials.filter((other) => other !== credential);
      grid.sessions = grid.sessions.filter((session) => session.credential !== credential);
      return ok(204, "");
    },
  );
}

// ── Signing in ───────────────────────────────────────────────────────────────────────────────

async function challengeAuthCredential(grid, call) {
  const credential = credentialOf(grid, call.id);
  if (credential.type === "OAUTH") {
    throw invalid("OAUTH_HAS_NO_CHALLENGE", "An OAUTH credential is verified without a challenge.");
  }
  credential.updatedAt = grid.now();
  if (credential.type !== "PASSKEY") {
    return ok(200, { ...authMethod(credential), ...(await sendCode(grid, credential)) });
  }

  const key = await clientPublicKey(call.json?.clientPublicKey);
  const challenge = hex(await sha256(utf8(createSession(grid, key))));
  const requestId = grid.newId("Request");
  const expiresAt = grid.now() + grid.lives.challenge;
  grid.passkeyChallenges.set(requestId, { credential, challenge, key, expiresAt, isUsed: false });
  return ok(200, { ...authMethod(credential), challenge, requestId, expiresAt: rfc3339(expiresAt) });
}

const createSession = (grid, { text }) =>
  activity(grid, "ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2", { targetPublicKey: text });

/** "Sends" a code; the one before is no longer good. */
async function sendCode(grid, credential) {
  const target = await generateReceivingKey();
  // With a zero in front, so that a page that takes codes for numbers is found out.
  const code = `0${Array.from(random(5), (byte) => 1 + (byte % 9)).join("")}`;
  credential.issued = { code, target, expiresAt: grid.now() + grid.lives.otp };
  grid.lastCode = code;
  const { organizationId, userId } = grid.account;
  return {
    otpEncryptionTargetBundle: await envelope(grid.otpKey, {
      organizationId,
      targetPublic: target.uncompressed,
      userId,
    }),
  };
}

async function verifyAuthCredential(grid, call) {
  const credential = credentialOf(grid, call.id);
  const { type } = members(call.json, ["type"]);
  if (type !== credential.type) throw invalid("CREDENTIAL_TYPE_UNSUITABLE", "type is not the credential's.");
  if (type === "PASSKEY") return verifyPasskey(grid, call, credential);
  return type === "OAUTH" ? verifyOAuth(grid, call, credential) : verifyOtp(grid, call, credential);
}

async function verifyPasskey(grid, call, credential) {
  if (call.requestId === undefined) throw requestIdMissing();
  const { challenge, key } = takePending(
    grid,
    grid.passkeyChallenges,
    call.requestId,
    (pending) => pending.credential === credential,
  );
  credential.passkey.signCount = await checkAssertion(
    credential.passkey,
    call.json.assertion,
    base64url(utf8(challenge)),
    grid.rpId,
  );
  return ok(200, await openSession(grid, credential, key));
}

async function verifyOAuth(grid, call, credential) {
  const { oidcToken } = members(call.json, ["oidcToken"]);
  const key = await clientPublicKey(call.json.clientPublicKey);
  const { identity, nonce } = await readIdToken(grid, oidcToken, grid.now());
  if (nonce !== hex(await sha256(utf8(key.text)))) {
    throw unauthorized("OIDC_NONCE_MISMATCH", "The nonce of oidcToken is not the SHA-256 of clientPublicKey.");
  }
  if (identity !== credential.identity) {
    throw unauthorized("OIDC_IDENTITY_MISMATCH", "oidcToken is about somebody else.");
  }
  return ok(200, await openSession(grid, credential, key));
}

async function verifyOtp(grid, call, credential) {
  const first = async () => {
    const publicKey = await checkCode(grid, credential, members(call.json, ["encryptedOtpBundle"]).encryptedOtpBundle);
    const claims = {
      contact: credential.nickname,
      exp: String(grid.now() + grid.lives.challenge),
      id: grid.newId("Token"),
      organization_id: grid.account.organizationId,
      public_key: publicKey.compressed,
      verification_type: OTP[credential.type].verification,
    };
    const isSigner = (stamping) => {
      if (stamping !== publicKey.compressed) {
        throw badSignature("STAMP_KEY_NOT_IN_OTP_BUNDLE", "The stamp's key is not the one in the OTP bundle.");
      }
    };
    return askForStamp(grid, call, await jws(grid.otpKey, claims), isSigner, credential.type);
  };
  return legs(grid, call, first, async (key) =>
    ok(200, await openSession(grid, credential, { ...key, isSealed: false })),
  );
}

/** Checks a code, which is used up by being right. Gives the key that the session will have. */
async function checkCode(grid, credential, bundle) {
  const { issued } = credential;
  if (!issued) throw unauthorized("OTP_NOT_ISSUED", "There is no code, or it was used.");
  if (grid.now() >= issued.expiresAt) throw unauthorized("OTP_EXPIRED", "The code expired.");
  const attempt = await openOtpBundle(issued.target, bundle);
  if (attempt === "malformed") throw invalid("OTP_BUNDLE_MALFORMED", "encryptedOtpBundle is malformed.");
  if (attempt === "sealed") {
    throw unauthorized("OTP_BUNDLE_UNDECRYPTABLE", "The bundle is not sealed to the key of the latest code.");
  }
  if (attempt.code !== issued.code) throw unauthorized("OTP_CODE_WRONG", "The code is wrong.");
  // Not where another request has used it meanwhile.
  if (credential.issued !== issued) throw unauthorized("OTP_NOT_ISSUED", "There is no code, or it was used.");
  credential.issued = undefined;
  return attempt.publicKey;
}

// ── Sessions ─────────────────────────────────────────────────────────────────────────────────

async function openSession(grid, credential, key) {
  const sealed = key.isSealed ? await sealedSessionKey(key) : undefined;
  const at = grid.now();
  const session = {
    id: grid.newId("Session"),
    credential,
    apiKeyId: grid.newId("Turnkey"),
    publicKey: (sealed?.sessionKey ?? key).compressed,
    isSealed: key.isSealed,
    createdAt: at,
    expiresAt: at + grid.lives.session,
    isRevoked: false,
  };
  grid.sessions.push(session);
  return { ...authSession(session), ...(sealed && { encryptedSessionSigningKey: sealed.bundle }) };
}

/** An `AuthSession`: its credential's members, with an id and times of its own. */
const authSession = ({ id, credential, createdAt, expiresAt }) => ({
  ...authMethod({ ...credential, id, createdAt, updatedAt: createdAt }),
  expiresAt: rfc3339(expiresAt),
});

const sessionRecord = (grid, session) => ({
  id: session.id,
  authMethodId: session.credential.id,
  type: session.credential.type,
  publicKey: session.publicKey,
  sealed: session.isSealed,
  active: isActive(grid, session),
  revoked: session.isRevoked,
  expiresAt: new Date(session.expiresAt),
});

function listAuthSessions(grid, { params }) {
  const sessions =
    params.accountId === grid.account.id ? grid.sessions.filter((session) => isActive(grid, session)) : [];
  return ok(200, { data: sessions.map(authSession) });
}

/** Opens another session; the one that is refreshed lives on. */
async function refreshAuthSession(grid, call) {
  const session = sessionOf(grid, call.id);
  if (!isActive(grid, session)) throw unauthorized("SESSION_NOT_ACTIVE", "The session is not active.");
  const key = await clientPublicKey(call.json?.clientPublicKey);
  const isSigner = (publicKey) => {
    if (byActiveSession(grid)(publicKey) !== session) {
      throw badSignature("STAMP_KEY_OF_ANOTHER_SESSION", "The stamp's key is that of another session.");
    }
  };
  return legs(
    grid,
    call,
    () => askForStamp(grid, call, createSession(grid, key), isSigner),
    async () => ok(201, await openSession(grid, session.credential, key)),
  );
}

async function revokeAuthSession(grid, call) {
  const session = sessionOf(grid, call.id);
  if (!isActive(grid, session)) throw notFound("SESSION_NOT_ACTIVE", "The session is not active.");
  const parameters = { apiKeyIds: [session.apiKeyId], userId: grid.account.userId };
  return legs(
    grid,
    call,
    () =>
      askForStamp(
        grid,
        call,
        activity(grid, "ACTIVITY_TYPE_DELETE_API_KEYS", parameters),
        byActiveSession(grid),
        session.credential.type,
      ),
    () => {
      session.isRevoked = true;
      return ok(204, "");
    },
  );
}

// ── Wallet and agent ─────────────────────────────────────────────────────────────────────────

async function exportInternalAccount(grid, call) {
  const { id, organizationId, walletId } = grid.account;
  checkAccount(grid, call.id);
  const key = await clientPublicKey(call.json?.clientPublicKey);
  if (!key.isSealed) {
    throw invalid("CLIENT_PUBLIC_KEY_INVALID", "clientPublicKey must be uncompressed: 130 hexadecimal digits.");
  }
  return legs(
    grid,
    call,
    () =>
      askForStamp(
        grid,
        call,
        activity(grid, "ACTIVITY_TYPE_EXPORT_WALLET", { targetPublicKey: key.text, walletId }),
        byActiveSession(grid),
      ),
    async () =>
      ok(200, { id, encryptedWalletCredentials: await walletExport(grid.exportKey, key, organizationId, MNEMONIC) }),
  );
}

function regenerateAgentDeviceCode(grid, { params }) {
  if (params.agentId !== grid.agentId) throw notFound("AGENT_NOT_FOUND", "There is no such agent.");
  // Letters and digits that are not mistaken for each other.
  const letters = Array.from(random(8), (byte) => "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[byte % 32]).join("");
  const code = `GRID-AGENT-${letters.slice(0, 4)}-${letters.slice(4)}`;
  grid.deviceCodes.push(code);
  return ok(201, { code, agentId: grid.agentId, expiresAt: rfc3339(grid.now() + LIVES.deviceCode), redeemed: false });
}

function getAgentDeviceCodeStatus(grid, { params }) {
  if (params.code !== grid.deviceCodes.at(-1)) {
    throw notFound("DEVICE_CODE_NOT_FOUND", "There is no such device code, or it was replaced.");
  }
  return ok(200, { code: params.code, redeemed: false });
}
