// The test Grid: what it answers, what it refuses, and what it does when it is told to.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createPublicKey, createVerify } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { promisify } from "node:util";

import { SealedKeyReceiver, SessionKey, createGridkey, oauthNonce } from "../../pkg/node.js";
import { createTestGrid } from "../../pkg/testing/index.js";
import { authenticator, failure, setUp, signedIn, steps, thrown } from "./support.mjs";

const DELIVERIES = ["sealed", "client-held"];
/** What Grid says of why it refused. */
const refused = async (code, reason, run) => assert.equal((await failure(code, run)).reason, reason);

/** What may have been done before, and how Grid puts it. */
const unknown = async (reason, run) => {
  const error = await failure("challenge_expired", run);
  assert.equal(error.reason, "outcome_unknown");
  assert.equal(error.details.reason, reason);
};

/** One request, as a client sends it. */
const send = (grid, operation, method, path, params, more) =>
  grid.transport({ operation, method, path, params, signal: new AbortController().signal, ...more });

test("a passkey signs in, with either delivery of the key", async () => {
  for (const sessionKeys of DELIVERIES) {
    const { grid, gridkey } = await setUp({ sessionKeys });
    const device = authenticator();
    const { id, credentialId, nickname } = await grid.addPasskey({ authenticator: device, nickname: "Laptop" });
    assert.equal(nickname, "Laptop");
    assert.equal(device.passkeys[0].credentialId, credentialId);
    assert.deepEqual(await gridkey.listAuthMethods({ accountId: grid.accountId }), grid.authMethods);
    const prepared = await gridkey.preparePasskey({ authMethodId: id, accountId: grid.accountId });
    const session = await prepared.confirm();
    assert.deepEqual(device.prompts, { create: 0, get: 1 });
    const [record] = grid.sessions;
    assert.equal(grid.sessions.length, 1);
    assert.deepEqual(
      { ...record, expiresAt: record.expiresAt.getTime() },
      { id: session.id, authMethodId: id, type: "PASSKEY", publicKey: session.publicKey, sealed: sessionKeys === "sealed", active: true, revoked: false, expiresAt: session.expiresAt.getTime() },
    );
    // The counter of a second use is one higher, as Grid wants it.
    await prepared.confirm();
    assert.equal(device.passkeys[0].signCount, 2);
    device.restore();
  }
});

test("a one-time code signs in, after a wrong one too", async () => {
  for (const [add, contact] of [["addEmailOtp", "jane@example.com"], ["addSmsOtp", "+14155550123"]]) {
    const { grid, gridkey } = await setUp();
    const { id } = grid[add]();
    const otp = await gridkey.sendOtp({ authMethodId: id });
    assert.equal(otp.sentTo, contact);
    assert.match(grid.lastCode, /^0[1-9]{5}$/);
    await refused("otp_rejected", "OTP_CODE_WRONG", otp.submit("999999"));
    await refused("otp_rejected", "OTP_CODE_WRONG", otp.submit(String(Number(grid.lastCode))));
    const before = grid.lastCode;
    await otp.resend();
    assert.notEqual(grid.lastCode, before);
    await refused("otp_rejected", "OTP_CODE_WRONG", otp.submit(before));
    const session = await otp.submit(grid.lastCode);
    assert.equal(session.publicKey, grid.sessions[0].publicKey);
    await refused("otp_rejected", "OTP_NOT_ISSUED", otp.submit(grid.lastCode));
    // Sealed to the key of a code that is no longer good.
    const state = otp.state;
    await otp.resend();
    const resumed = await gridkey.resumeOtp(state);
    await refused("otp_rejected", "OTP_BUNDLE_UNDECRYPTABLE", resumed.submit(grid.lastCode));
    grid.expireChallenges();
    await refused("otp_expired", "OTP_EXPIRED", otp.submit(grid.lastCode));
  }
});

test("an identity provider's token signs in, and is bound to the key", async () => {
  for (const sessionKeys of DELIVERIES) {
    const { grid, gridkey } = await setUp({ sessionKeys });
    const { id, nickname } = grid.addOAuth({ email: "j@id.example" });
    assert.equal(nickname, "j@id.example");
    const signIn = await gridkey.prepareOAuth({ authMethodId: id, clientId: "client-1" });
    const session = await signIn.submit(await grid.idToken({ nonce: signIn.nonce }));
    assert.equal(session.type, "OAUTH");
    assert.equal(grid.sessions[0].publicKey, session.publicKey);

    // Layer 2 sends what layer 3 would refuse by itself.
    const { publicKey } = SessionKey.generate();
    const verify = async (claims, clientPublicKey = publicKey) =>
      gridkey.api.verifyAuthCredential(id, { type: "OAUTH", oidcToken: await grid.idToken(claims), clientPublicKey });
    const nonce = oauthNonce(publicKey);
    assert.equal((await verify({ nonce })).status, 200);
    await refused("oauth_rejected", "OIDC_NONCE_MISMATCH", verify({}));
    await refused("oauth_rejected", "OIDC_NONCE_MISMATCH", verify({ nonce }, SealedKeyReceiver.generate().publicKey));
    await refused("oauth_rejected", "OIDC_IDENTITY_MISMATCH", verify({ nonce, subject: "2" }));
    await refused("oauth_rejected", "OIDC_IDENTITY_MISMATCH", verify({ nonce, clientId: "other" }));
    // What gridkey would not send.
    for (const clientPublicKey of [undefined, 5, "", "02".padEnd(66, "f"), "04".padEnd(130, "1"), `05${publicKey.slice(2)}`, `${publicKey}00`]) {
      const body = JSON.stringify({ type: "OAUTH", oidcToken: await grid.idToken({ nonce }), clientPublicKey });
      const { status, body: answer } = await send(grid, "verifyAuthCredential", "POST", `/auth/credentials/${id}/verify`, { id }, { body });
      assert.deepEqual([status, answer.details.reason], [400, "CLIENT_PUBLIC_KEY_INVALID"]);
    }
    const other = await createTestGrid();
    const oidcToken = await other.idToken({ nonce });
    await refused("oauth_rejected", "OIDC_SIGNATURE_INVALID", gridkey.api.verifyAuthCredential(id, { type: "OAUTH", oidcToken, clientPublicKey: publicKey }));
    await refused("grid_error", "OAUTH_HAS_NO_CHALLENGE", gridkey.api.challengeAuthCredential(id));
  }
});

test("a token is good for a minute", async () => {
  let now = Date.now();
  const { grid, gridkey } = await setUp({ grid: { now: () => now } });
  const { id } = grid.addOAuth();
  const { publicKey } = SessionKey.generate();
  const oidcToken = await grid.idToken({ nonce: oauthNonce(publicKey) });
  const verify = () => gridkey.api.verifyAuthCredential(id, { type: "OAUTH", oidcToken, clientPublicKey: publicKey });
  assert.equal((await verify()).status, 200);
  now += 60_000;
  await refused("oauth_rejected", "OIDC_TOKEN_STALE", verify());
  now -= 62_000;
  await refused("oauth_rejected", "OIDC_TOKEN_STALE", verify());
});

test("a session is refreshed, listed and ended", async () => {
  for (const sessionKeys of DELIVERIES) {
    const { grid, gridkey, session } = await signedIn({ sessionKeys });
    const { id, publicKey } = session;
    await session.refresh();
    assert.notEqual(session.id, id);
    assert.notEqual(session.publicKey, publicKey);
    assert.deepEqual(steps(grid), ["refreshAuthSession 202", "refreshAuthSession.2 201"]);
    assert.deepEqual(grid.sessions.map(({ active, sealed }) => [active, sealed]), [[true, false], [true, sessionKeys === "sealed"]]);
    const { sessions } = await gridkey.api.listAuthSessions({ accountId: grid.accountId });
    assert.deepEqual(sessions.map((listed) => listed.id), [id, session.id]);
    assert.deepEqual((await gridkey.api.listAuthSessions({ accountId: "InternalAccount:2" })).sessions, []);
    await session.revokeSession(id);
    assert.deepEqual(grid.sessions.map(({ active, revoked }) => [active, revoked]), [[false, true], [true, false]]);
    await refused("not_found", "SESSION_NOT_ACTIVE", gridkey.api.revokeAuthSession(id));
    assert.deepEqual(await session.signOut(), { revokedAtGrid: true });
    assert.ok(grid.sessions.every(({ active }) => !active));
    assert.deepEqual((await gridkey.api.listAuthSessions({ accountId: grid.accountId })).sessions, []);
  }
});

test("a session that ran out at Grid signs nothing", async () => {
  const { grid, session } = await signedIn();
  grid.expireSessions();
  await refused("session_expired", "SESSION_NOT_ACTIVE", session.refresh());
  const { session: second, grid: other } = await signedIn();
  const passkey = await other.addPasskey();
  other.failNext("revokeAuthCredential", "network", { leg: 2 });
  assert.equal((await failure("network", second.revokeAuthMethod(passkey.id))).reason, "outcome_unknown");
  other.expireSessions();
  await refused("signature_rejected", "STAMP_KEY_NOT_OF_ACTIVE_SESSION", second.revokeAuthMethod(passkey.id));
  assert.equal(other.authMethods.length, 2);
});

test("credentials are added and removed", async () => {
  const { grid, session, emailId } = await signedIn();
  const device = authenticator();

  const enrolment = await session.preparePasskeyRegistration({ nickname: "Phone" });
  const passkey = await enrolment.confirm();
  assert.deepEqual(steps(grid), ["createPasskeyRegistrationOptions 200", "createAuthCredential 202", "createAuthCredential.2 201"].concat(steps(grid).slice(3)));
  assert.equal(passkey.credentialId, device.passkeys[0].credentialId);
  await failure("passkey_already_registered", enrolment.confirm());
  await refused("grid_error", "REGISTRATION_CHALLENGE_UNKNOWN", session.addPasskey({ nickname: "x", challenge: "AAECAwQFBgcICQoLDA0ODw", user: { id: "AQ", name: "a" } }));

  const oauth = await session.addOAuth({ idToken: await grid.idToken({ subject: "7" }), clientId: "client-1" });
  const sms = await session.addSmsOtp({ phoneNumber: "+14155550123" });
  const bySms = await sms.submit(grid.lastCode);
  assert.deepEqual(grid.authMethods.map(({ type }) => type), ["EMAIL_OTP", "PASSKEY", "OAUTH", "SMS_OTP"]);
  await refused("credential_already_exists", "EMAIL_OTP_CREDENTIAL_EXISTS", session.addEmailOtp({ email: "jane@example.com" }));
  await refused("credential_already_exists", "SMS_OTP_CREDENTIAL_EXISTS", session.addSmsOtp({ phoneNumber: "+14155550123" }));
  thrown("invalid_argument", () => grid.addSmsOtp());

  await session.revokeAuthMethod(oauth.id);
  await session.revokeAuthMethod(passkey.id);
  await refused("signature_rejected", "STAMP_KEY_OF_REVOKED_CREDENTIAL", session.revokeAuthMethod(emailId, {
    intent: (payload) => ({ kind: "activity", ...activityOf(payload) }),
  }));
  // Its sessions go with it.
  assert.equal(grid.sessions.length, 2);
  await bySms.revokeAuthMethod(emailId, { intent: (payload) => ({ kind: "activity", ...activityOf(payload) }) });
  assert.deepEqual(grid.sessions.map(({ type }) => type), ["SMS_OTP"]);
  assert.deepEqual(grid.authMethods.map(({ type }) => type), ["SMS_OTP"]);
  await refused("conflict", "LAST_CREDENTIAL", bySms.revokeAuthMethod(sms.authMethodId));
});

/** A test may believe the payload. */
const activityOf = (payload) => {
  const { type, parameters } = JSON.parse(payload);
  return { activityType: type, parameters };
};

test("a wallet without credentials gets its first one unsigned", async () => {
  const { grid, gridkey } = await setUp();
  const { status, authMethod } = await gridkey.api.createAuthCredential({ type: "EMAIL_OTP", accountId: grid.accountId });
  assert.equal(status, 201);
  assert.deepEqual(grid.authMethods, [authMethod]);
  assert.equal((await gridkey.api.createAuthCredential({ type: "SMS_OTP", accountId: grid.accountId })).status, 202);
});

test("the mnemonic is exported", async () => {
  const { grid, session } = await signedIn();
  const mnemonic = new TextDecoder().decode(await session.exportMnemonic({ organizationId: grid.organizationId }));
  assert.equal(mnemonic.split(" ").length, 12);
  await failure("intent_refused", session.exportMnemonic({ organizationId: "another" }));
});

test("an agent gets a new device code, and the old one is gone", async () => {
  const { grid, gridkey } = await setUp();
  const { deviceCode } = await gridkey.api.regenerateAgentDeviceCode(grid.agentId);
  assert.match(deviceCode.code, /^GRID-AGENT-[A-Z2-9]{4}-[A-Z2-9]{4}$/);
  assert.deepEqual((await gridkey.api.getAgentDeviceCodeStatus(deviceCode.code)).deviceCodeStatus, { code: deviceCode.code, redeemed: false });
  await gridkey.api.regenerateAgentDeviceCode(grid.agentId);
  await refused("not_found", "DEVICE_CODE_NOT_FOUND", gridkey.api.getAgentDeviceCodeStatus(deviceCode.code));
  await refused("not_found", "AGENT_NOT_FOUND", gridkey.api.regenerateAgentDeviceCode("Agent:2"));
});

test("a stamp is refused that is not by this key, over this payload, for this request, once", async () => {
  const { grid, gridkey, session, emailId } = await signedIn();
  const { publicKey } = SessionKey.generate();
  const first = async (id = session.id) => (await gridkey.api.refreshAuthSession(id, { clientPublicKey: publicKey })).challenge;
  const second = (stamp, requestId, clientPublicKey = publicKey, id = session.id) => gridkey.api.refreshAuthSession(id, { clientPublicKey }, { stamp, requestId });
  const stampOf = (challenge, by = session) => by.stamp(challenge.payloadToSign, { kind: "refreshSession", clientPublicKey: publicKey });

  const right = await first();
  const stamp = await stampOf(right);
  assert.equal((await second(stamp, right.requestId)).status, 201);
  await unknown("REQUEST_ID_USED", second(stamp, right.requestId));
  await unknown("REQUEST_ID_UNKNOWN", second(stamp, "Request:none"));

  // Each of these uses its request id up.
  const stranger = SessionKey.generate();
  let challenge = await first();
  await refused("signature_rejected", "STAMP_KEY_NOT_OF_ACTIVE_SESSION", second(await stranger.dangerouslyStampUnchecked(challenge.payloadToSign), challenge.requestId));
  await unknown("REQUEST_ID_USED", second(await stampOf(challenge), challenge.requestId));
  const clientPublicKey = stranger.publicKey;
  const of = (await gridkey.api.refreshAuthSession(session.id, { clientPublicKey })).challenge;
  challenge = await first();
  await refused("signature_rejected", "STAMP_SIGNATURE_INVALID", second(await session.stamp(of.payloadToSign, { kind: "refreshSession", clientPublicKey }), challenge.requestId));
  challenge = await first();
  await refused("relay_protocol", "BODY_CHANGED", second(await stampOf(challenge), challenge.requestId, stranger.publicKey));
  challenge = await first();
  grid.expireChallenges();
  await unknown("REQUEST_ID_EXPIRED", second(await stampOf(challenge), challenge.requestId));
  for (const malformed of ["sandbox-valid-signature", "e30", stamp.slice(0, -4), `${stamp}=`]) {
    challenge = await first();
    await refused("signature_rejected", "STAMP_MALFORMED", second(malformed, challenge.requestId));
  }

  // Another session of the same account may not refresh this one.
  const otp = await gridkey.sendOtp({ authMethodId: emailId });
  const other = await otp.submit(grid.lastCode);
  challenge = await first();
  await refused("signature_rejected", "STAMP_KEY_OF_ANOTHER_SESSION", second(await stampOf(challenge, other), challenge.requestId));
  challenge = await first();
  await unknown("REQUEST_ID_OF_ANOTHER_REQUEST", second(await stampOf(challenge), challenge.requestId, publicKey, other.id));

  const path = `/auth/sessions/${encodeURIComponent(session.id)}/refresh`;
  const body = JSON.stringify({ clientPublicKey: publicKey });
  const raw = (more) => send(grid, "refreshAuthSession", "POST", path, { id: session.id }, { body, ...more });
  assert.equal((await raw({ stamp })).body.details.reason, "REQUEST_ID_MISSING");
  assert.equal((await raw({ requestId: challenge.requestId })).body.details.reason, "SIGNATURE_MISSING");
  assert.equal((await raw({ body: "{" })).body.details.reason, "CLIENT_PUBLIC_KEY_INVALID");
});

test("a one-time code's token is stamped by the key that was sealed with it, and by no other", async () => {
  const { grid, gridkey } = await setUp();
  const { id } = grid.addEmailOtp();
  const key = SessionKey.generate();
  const attempt = async () => {
    const { authMethod } = await gridkey.api.challengeAuthCredential(id);
    const encryptedOtpBundle = key.sealOtpCode(authMethod.otpEncryptionTargetBundle, grid.lastCode, { enclaveKey: grid.enclave.dangerouslyTrust.otp });
    return [{ type: "EMAIL_OTP", encryptedOtpBundle }, (await gridkey.api.verifyAuthCredential(id, { type: "EMAIL_OTP", encryptedOtpBundle })).challenge];
  };
  let [body, challenge] = await attempt();
  const by = async (signer) => ({ requestId: challenge.requestId, stamp: await signer.dangerouslyStampUnchecked(challenge.payloadToSign) });
  const stranger = SessionKey.generate();
  await refused("signature_rejected", "STAMP_KEY_NOT_IN_OTP_BUNDLE", gridkey.api.verifyAuthCredential(id, body, await by(stranger)));
  [body, challenge] = await attempt();
  const { session } = await gridkey.api.verifyAuthCredential(id, body, await by(key));
  assert.equal(session.encryptedSessionSigningKey, undefined);
  assert.equal(grid.sessions[0].publicKey, key.publicKey);

  await gridkey.api.challengeAuthCredential(id);
  const sealed = body.encryptedOtpBundle;
  for (const encryptedOtpBundle of [
    "{}",
    "null",
    '{"encappedPublic":"04","ciphertext":"00"}',
    sealed.replace("ciphertext", "cipherText"),
    sealed.replace(/(?<="04)./, "g"),
    // No point of the curve.
    sealed.replace(/(?<="04).{128}/, "1".repeat(128)),
    sealed.replace(/"}$/, 'x"}'),
  ]) {
    await refused("grid_error", "OTP_BUNDLE_MALFORMED", gridkey.api.verifyAuthCredential(id, { type: "EMAIL_OTP", encryptedOtpBundle }));
  }
  await refused("grid_error", "CREDENTIAL_TYPE_UNSUITABLE", gridkey.api.verifyAuthCredential(id, { ...body, type: "SMS_OTP" }));
});

test("one code opens one session, also where two requests come at once", async () => {
  const { grid, gridkey } = await setUp();
  const { id } = grid.addEmailOtp();
  const otp = await gridkey.sendOtp({ authMethodId: id });
  const twin = await gridkey.resumeOtp(otp.state);
  const outcomes = await Promise.allSettled([otp.submit(grid.lastCode), twin.submit(grid.lastCode)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(grid.sessions.length, 1);
});

test("a passkey's answer is refused that is not the one that was asked for", async () => {
  const { grid, gridkey } = await setUp();
  const device = authenticator();
  const { id } = await grid.addPasskey({ authenticator: device });
  const { id: otherId } = await grid.addPasskey({ authenticator: device });
  const key = SessionKey.generate();
  const challenged = async (of = id) => (await gridkey.api.challengeAuthCredential(of, { clientPublicKey: key.publicKey })).challenge;
  const text = (bytes) => Buffer.from(bytes).toString("base64url");
  /** The device's own answer, with what `change` makes of it. */
  const answer = async ({ challenge, credentialId }, change = {}) => {
    const { response } = await navigator.credentials.get({
      publicKey: { challenge: Buffer.from(change.challenge ?? challenge), allowCredentials: [{ type: "public-key", id: Buffer.from(credentialId, "base64url") }] },
    });
    const assertion = { credentialId, clientDataJson: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature) };
    return { ...assertion, ...change.assertion?.(assertion) };
  };
  const verify = (challenge, assertion, of = id) => gridkey.api.verifyAuthCredential(of, { type: "PASSKEY", assertion }, { requestId: challenge.requestId });

  let challenge = await challenged();
  const good = await answer(challenge);
  assert.equal((await verify(challenge, good)).status, 200);
  await refused("passkey_rejected", "REQUEST_ID_USED", verify(challenge, good));
  await refused("passkey_rejected", "REQUEST_ID_OF_ANOTHER_REQUEST", verify(await challenged(otherId), good));

  const withClientData = (change) => ({ clientDataJson }) => ({
    clientDataJson: text(JSON.stringify({ ...JSON.parse(Buffer.from(clientDataJson, "base64url")), ...change })),
  });
  for (const [reason, change] of [
    ["ASSERTION_CHALLENGE_MISMATCH", { challenge: "another" }],
    ["ASSERTION_CREDENTIAL_MISMATCH", { assertion: () => ({ credentialId: "AQID" }) }],
    ["ASSERTION_MALFORMED", { assertion: withClientData({ type: "webauthn.create" }) }],
    ["ASSERTION_ORIGIN_NOT_ALLOWED", { assertion: withClientData({ origin: "https://localhost.example" }) }],
    ["ASSERTION_SIGNATURE_INVALID", { assertion: withClientData({ crossOrigin: true }) }],
    ["ASSERTION_MALFORMED", { assertion: () => ({ signature: "AQID" }) }],
    ["ASSERTION_MALFORMED", { assertion: ({ authenticatorData }) => ({ authenticatorData: `${authenticatorData}AAAA` }) }],
    ["ASSERTION_RP_ID_MISMATCH", { assertion: ({ authenticatorData }) => ({ authenticatorData: `AAAA${authenticatorData.slice(4)}` }) }],
  ]) {
    challenge = await challenged();
    await refused("passkey_rejected", reason, verify(challenge, await answer(challenge, change)));
  }
  challenge = await challenged();
  grid.expireChallenges();
  await refused("passkey_rejected", "REQUEST_ID_EXPIRED", verify(challenge, await answer(challenge)));
  assert.equal(grid.sessions.length, 1);
});

test("requests that gridkey would not send are refused too", async () => {
  const { grid } = await setUp();
  const { id } = await grid.addPasskey();
  const raw = async (operation, path, params, body) => {
    const { status, body: answer } = await send(grid, operation, "POST", path, params, { body: JSON.stringify(body) });
    return [status, answer.code, answer.details.reason];
  };
  const verify = (body) => raw("verifyAuthCredential", `/auth/credentials/${id}/verify`, { id }, body);
  assert.deepEqual(await verify({ type: "PASSKEY", assertion: {} }), [401, "REQUEST_ID_MISSING", "REQUEST_ID_MISSING"]);
  assert.deepEqual(await verify({}), [400, "INVALID_INPUT", "BODY_MALFORMED"]);
  const create = (body) => raw("createAuthCredential", "/auth/credentials", {}, body);
  assert.deepEqual(await create({ type: "TOTP", accountId: grid.accountId }), [400, "INVALID_INPUT", "CREDENTIAL_TYPE_UNSUITABLE"]);
  assert.deepEqual(await create(null), [400, "INVALID_INPUT", "BODY_MALFORMED"]);
  const compressed = SessionKey.generate().publicKey;
  const exported = await raw("exportInternalAccount", "/internal-accounts/1/export", { id: grid.accountId }, { clientPublicKey: compressed });
  assert.deepEqual(exported, [400, "INVALID_INPUT", "CLIENT_PUBLIC_KEY_INVALID"]);
  assert.deepEqual(await raw("inventedOperation", "/", {}, {}), [501, "NOT_IMPLEMENTED", "NOT_IN_TEST_GRID"]);
});

test("a passkey is refused whose counter did not go up", async () => {
  const { grid, gridkey } = await setUp();
  const device = authenticator();
  const { id } = await grid.addPasskey({ authenticator: device });
  const key = SessionKey.generate();
  const challenged = async () => (await gridkey.api.challengeAuthCredential(id, { clientPublicKey: key.publicKey })).challenge;
  const [first, second] = [await challenged(), await challenged()];
  const text = (bytes) => Buffer.from(bytes).toString("base64url");
  const answer = async ({ challenge, credentialId }) => {
    const { response } = await navigator.credentials.get({ publicKey: { challenge: Buffer.from(challenge) } });
    return { credentialId, clientDataJson: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData), signature: text(response.signature) };
  };
  const [early, late] = [await answer(first), await answer(second)];
  assert.equal((await gridkey.api.verifyAuthCredential(id, { type: "PASSKEY", assertion: late }, { requestId: second.requestId })).status, 200);
  await refused("passkey_rejected", "ASSERTION_COUNTER_NOT_INCREASED", gridkey.api.verifyAuthCredential(id, { type: "PASSKEY", assertion: early }, { requestId: first.requestId }));
});

test("registrations are checked", async () => {
  const { grid, gridkey, session } = await signedIn();
  const device = authenticator();
  const text = (bytes) => Buffer.from(bytes).toString("base64url");
  const register = async (change = {}) => {
    const { options } = await gridkey.api.createPasskeyRegistrationOptions({ accountId: grid.accountId });
    const made = await navigator.credentials.create({
      publicKey: { challenge: Buffer.from(change.challenge ?? options.challenge, "base64url"), rp: { name: "x" }, user: { id: Buffer.from("u"), name: "n", displayName: "n" } },
    });
    const attestation = {
      credentialId: text(made.rawId),
      clientDataJson: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: ["internal"],
    };
    const body = { type: "PASSKEY", accountId: grid.accountId, nickname: "x", challenge: options.challenge, attestation: { ...attestation, ...change.attestation?.(attestation) }, ...change.body };
    return [body, await gridkey.api.createAuthCredential(body)];
  };
  const [body, { challenge }] = await register();
  const { transports, ...attestation } = body.attestation;
  const intent = { kind: "addPasskey", ...attestation, challenge: body.challenge, nickname: "x" };
  const stamp = await session.stamp(challenge.payloadToSign, intent);
  assert.equal((await gridkey.api.createAuthCredential(body, { stamp, requestId: challenge.requestId })).status, 201);
  await refused("grid_error", "REGISTRATION_CHALLENGE_UNKNOWN", gridkey.api.createAuthCredential(body));
  const edited = (from, to) => ({ attestationObject }) => {
    const bytes = Buffer.from(attestationObject, "base64url").toString("latin1");
    assert.ok(bytes.includes(from));
    return { attestationObject: Buffer.from(bytes.replace(from, to), "latin1").toString("base64url") };
  };
  for (const change of [
    { challenge: "AAECAwQFBgcICQoLDA0ODw" },
    { attestation: () => ({ credentialId: "AQID" }) },
    { attestation: () => ({ attestationObject: "oA" }) },
    { attestation: ({ attestationObject }) => ({ attestationObject: text(Buffer.from(attestationObject, "base64url").subarray(0, -1)) }) },
    // Another curve than P-256, as COSE numbers them.
    { attestation: edited("\x20\x01\x21", "\x20\x02\x21") },
    { attestation: edited("authData", "authdata") },
  ]) {
    await refused("grid_error", "ATTESTATION_INVALID", register(change));
  }
  assert.equal(device.prompts.create, 7);
  for (const nickname of ["", " ", "<b>", "x".repeat(101)]) {
    const { status, body: answer } = await send(grid, "createAuthCredential", "POST", "/auth/credentials", {}, { body: JSON.stringify({ ...body, nickname }) });
    assert.deepEqual([status, answer.details.reason], [400, "NICKNAME_INVALID"]);
  }
  device.removePasskey(body.attestation.credentialId);
  const enrolment = await session.preparePasskeyRegistration({ nickname: "Phone" });
  grid.expireChallenges();
  await refused("grid_error", "REGISTRATION_CHALLENGE_UNKNOWN", enrolment.confirm());
});

test("the payloads and tokens are Grid's, by another reader's opinion", async () => {
  const { grid, gridkey } = await setUp();
  const { id } = grid.addEmailOtp();
  const { authMethod } = await gridkey.api.challengeAuthCredential(id);
  const { version, data, dataSignature, enclaveQuorumPublic } = JSON.parse(authMethod.otpEncryptionTargetBundle);
  assert.equal(version, "v1.0.0");
  assert.equal(enclaveQuorumPublic, grid.enclave.dangerouslyTrust.otp);
  // Node's own OpenSSL, and a DER key made by hand.
  const spki = Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d030107034200${enclaveQuorumPublic}`, "hex");
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  assert.ok(createVerify("sha256").update(Buffer.from(data, "hex")).verify(key, Buffer.from(dataSignature, "hex")));
});

test("another enclave's keys are not believed", async () => {
  const grid = await createTestGrid();
  const { enclave } = await createTestGrid();
  const gridkey = createGridkey({ transport: grid.transport, enclave });
  await failure("bundle_untrusted", gridkey.sendOtp({ authMethodId: grid.addEmailOtp().id }));
});

test("requests fail as they are told to", async () => {
  const { grid, gridkey, session } = await signedIn();
  grid.failNext("challengeAuthCredential", { status: 429, code: "RATE_LIMITED", retryAfterMs: 30_000 });
  const [{ id }] = grid.authMethods;
  const limited = await failure("rate_limited", gridkey.sendOtp({ authMethodId: id }));
  assert.deepEqual([limited.retryAfterMs, limited.status, limited.gridCode], [30_000, 429, "RATE_LIMITED"]);
  assert.deepEqual(steps(grid), ["challengeAuthCredential 429"]);
  await gridkey.sendOtp({ authMethodId: id });

  grid.failNext("challengeAuthCredential", { status: 401 });
  await failure("signed_out_of_platform", gridkey.sendOtp({ authMethodId: id }));
  grid.failNext("challengeAuthCredential", { status: 502, body: "<html>" });
  await failure("relay_protocol", gridkey.sendOtp({ authMethodId: id }));
  grid.failNext("challengeAuthCredential", { status: 403, code: "FORBIDDEN", message: "m", details: { reason: "LATER", since: 1 } });
  const forbidden = await failure("forbidden", gridkey.sendOtp({ authMethodId: id }));
  assert.deepEqual([forbidden.reason, forbidden.details], ["LATER", { reason: "LATER", since: 1 }]);

  grid.failNext("challengeAuthCredential", "network");
  await failure("network", gridkey.sendOtp({ authMethodId: id }));
  grid.failNext("challengeAuthCredential", "hang");
  await failure("timeout", gridkey.sendOtp({ authMethodId: id, timeoutMs: 20 }));
  grid.failNext("challengeAuthCredential", "hang");
  const controller = new AbortController();
  const call = gridkey.sendOtp({ authMethodId: id, signal: controller.signal });
  setTimeout(() => controller.abort(), 10);
  await failure("aborted", call);
  assert.deepEqual(grid.calls.slice(-3).map(({ status }) => status), [undefined, undefined, undefined]);

  // What does no harm is repeated twice.
  grid.calls.length = 0;
  grid.failNext("listAuthCredentials", { status: 503, code: "UNAVAILABLE" }, { times: 2 });
  assert.equal((await gridkey.listAuthMethods({ accountId: grid.accountId })).length, 1);
  assert.deepEqual(steps(grid), ["listAuthCredentials 503", "listAuthCredentials 503", "listAuthCredentials 200"]);

  grid.failNext("refreshAuthSession", { status: 500, code: "INTERNAL_ERROR" }, { leg: 2 });
  const unknown = await failure("grid_error", session.refresh());
  assert.equal(unknown.operation, "refreshAuthSession");
  await session.refresh();

  // Only the operation that was named, in the order in which it was told.
  grid.failNext("challengeAuthCredential", { status: 403, code: "FORBIDDEN" });
  grid.failNext("challengeAuthCredential", { status: 404, code: "REFERENCE_NOT_FOUND" });
  await session.refresh();
  await failure("forbidden", gridkey.sendOtp({ authMethodId: id }));
  await failure("not_found", gridkey.sendOtp({ authMethodId: id }));
  await gridkey.sendOtp({ authMethodId: id });
});

test("what it is told wrongly is refused, with what to do", async () => {
  const { grid } = await setUp();
  for (const run of [
    () => grid.failNext("listAuthMethods", "network"),
    () => grid.failNext("toString", "network"),
    () => grid.failNext("listAuthCredentials", "timeout"),
    () => grid.failNext("listAuthCredentials"),
    () => grid.failNext("listAuthCredentials", null),
    () => grid.failNext("listAuthCredentials", { status: 200 }),
    () => grid.failNext("listAuthCredentials", { status: 500, code: "A", body: {} }),
    () => grid.failNext("listAuthCredentials", "network", { times: 0 }),
    () => grid.failNext("listAuthCredentials", "network", { leg: 3 }),
  ]) {
    assert.match(thrown("invalid_argument", run).message, /`(operation|failure|times|leg)`/);
  }
  for (const options of [{ accountId: "" }, { rpId: 5 }, { sessionLifeMs: 0 }, { otpLifeMs: "1" }, { challengeLifeMs: Number.NaN }, { now: 5 }]) {
    await failure("invalid_argument", createTestGrid(options));
  }
  await failure("invalid_argument", grid.addPasskey({ authenticator: {} }));
  await failure("invalid_argument", grid.addPasskey({ nickname: "<b>" }));
  const device = authenticator({ origin: "https://elsewhere.example" });
  assert.match((await failure("invalid_argument", grid.addPasskey({ authenticator: device }))).message, /`rpId`/);
  assert.deepEqual(device.passkeys, []);
  assert.deepEqual(grid.authMethods, []);
});

test("operations that it does not have are refused as unsupported", async () => {
  const { grid, gridkey } = await setUp();
  await refused("unsupported_operation", "NOT_IN_TEST_GRID", gridkey.api.getQuoteById("Quote:1"));
  await failure("not_found", gridkey.api.challengeAuthCredential("AuthMethod:1"));
  await refused("session_expired", "SESSION_NOT_FOUND", gridkey.api.refreshAuthSession("Session:1", { clientPublicKey: SessionKey.generate().publicKey }));
  await failure("not_found", gridkey.api.createAuthCredential({ type: "EMAIL_OTP", accountId: "InternalAccount:2" }));
  assert.deepEqual(await gridkey.listAuthMethods({ accountId: "InternalAccount:2" }), []);
  // Each of gridkey's operations can be told to fail.
  for (const operation of Object.keys(gridkey.api)) grid.failNext(operation, "network");
});

test("what it does not have is answered by the test itself", async () => {
  const { grid } = await setUp();
  const amounts = { totalSendingAmount: 1000, totalReceivingAmount: 990, exchangeRate: 0.99, feesIncluded: 10 };
  const times = { createdAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 300_000).toISOString() };
  const currencies = { sendingCurrency: { code: "USDC", decimals: 6 }, receivingCurrency: { code: "USD", decimals: 2 } };
  const quote = { id: "Quote:1", status: "PENDING", source: {}, destination: {}, transactionId: "Transaction:1", ...amounts, ...times, ...currencies };
  const transport = async (call) => {
    if (call.operation === "getQuoteById") return { status: 200, body: quote };
    return grid.transport(call);
  };
  const gridkey = createGridkey({ transport });
  assert.equal((await gridkey.api.getQuoteById("Quote:1")).quote.status, "PENDING");
  assert.deepEqual(await gridkey.listAuthMethods({ accountId: grid.accountId }), []);
});

test("its time is the server's", async () => {
  const { grid, session } = await signedIn({ grid: { sessionLifeMs: 60_000, challengeLifeMs: 30_000 } });
  assert.ok(Math.abs(session.expiresAt - Date.now() - 60_000) < 5000);
  assert.ok(grid.sessions[0].active);
  const late = await createTestGrid({ now: () => Date.now() + 3_600_000 });
  const gridkey = createGridkey({ transport: late.transport, enclave: late.enclave });
  const otp = await gridkey.sendOtp({ authMethodId: late.addEmailOtp().id });
  const outcome = await otp.submit(late.lastCode).then(() => "signed in", ({ code }) => code);
  assert.equal(outcome, "clock_wrong");
});

test("calls are recorded as they came", async () => {
  const { grid, gridkey } = await setUp();
  const { id } = grid.addEmailOtp();
  await gridkey.listAuthMethods({ accountId: grid.accountId });
  const otp = await gridkey.sendOtp({ authMethodId: id });
  await otp.submit(grid.lastCode);
  assert.deepEqual(steps(grid), ["listAuthCredentials 200", "challengeAuthCredential 200", "verifyAuthCredential 202", "verifyAuthCredential.2 200"]);
  assert.deepEqual(grid.calls[0].params, { accountId: grid.accountId });
  assert.equal(grid.calls[2].body.type, "EMAIL_OTP");
  assert.equal(JSON.stringify(grid.calls).includes(grid.lastCode), false, "the code travels sealed");
});

test("nothing of the package imports it", async () => {
  const PACKAGE = new URL("../../pkg/", import.meta.url);
  const seen = new Set();
  const visit = async (url) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = await readFile(url, "utf8");
    for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) await visit(new URL(specifier, url));
  };
  const { exports } = JSON.parse(await readFile(new URL("package.json", PACKAGE), "utf8"));
  const paths = (target) => (typeof target === "string" ? [target] : Object.values(target ?? {}).flatMap(paths));
  for (const [entry, target] of Object.entries(exports)) {
    if (entry === "./testing") continue;
    for (const path of paths(target)) if (/\.[cm]?js$/.test(path)) await visit(new URL(path, PACKAGE));
  }
  assert.ok(seen.size > 5);
  assert.deepEqual([...seen].filter((href) => href.startsWith(new URL("testing/", PACKAGE).href)), []);
});

test("to import it does nothing", async () => {
  const code = `
    for (const name of ["TextDecoder", "TextEncoder", "crypto", "DOMException"]) Object.defineProperty(globalThis, name, { value: undefined });
    const names = new Set(Reflect.ownKeys(globalThis));
    await import(${JSON.stringify(new URL("../../pkg/testing/index.js", import.meta.url).href)});
    console.log(Reflect.ownKeys(globalThis).filter((name) => !names.has(name)).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  assert.equal(stdout.trim(), "0");
});

test("it imports nothing but itself and the package's errors", async () => {
  const index = new URL("../../pkg/testing/", import.meta.url);
  for (const name of ["index", "grid", "authenticator", "clock", "crypto", "encoding", "refusal", "webauthn", "work"]) {
    const source = await readFile(new URL(`${name}.js`, index), "utf8");
    for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) assert.match(specifier, /^(?:\.\/\w+\.js|\.\.\/errors\.js)$/);
  }
});
