// What a signed-in customer can do, through the built package, with a Grid that checks the stamps.

import assert from "node:assert/strict";
import test, { before } from "node:test";

import { OtpSignIn, init } from "../../pkg/node.js";
import { failure } from "./failure.mjs";
import {
  ACCOUNT_ID,
  ORGANIZATION,
  assertStamp,
  authMethod,
  challenge,
  delegatedKey,
  gridError,
  idToken,
  internalAccount,
  makeEnclave,
  payload,
  quote,
  quotePayload,
  session,
  signWith,
  signedIn,
  signing,
  soon,
} from "./grid.mjs";
import { bytes, vectors } from "./vectors.mjs";

before(() => init());

const USER = { userId: "user_1" };
const EMAIL = "jane@example.com";
const PHONE = "+14155550123";
const emailPayload = (email = EMAIL, more) => payload("ACTIVITY_TYPE_UPDATE_USER_EMAIL", { userEmail: email, ...USER }, more);
const phonePayload = () => payload("ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER", { userPhoneNumber: PHONE, ...USER });
const oauthPayload = (oidcToken) => payload("ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS", { oauthProviders: [{ oidcToken, providerName: "Google" }], ...USER });
const revokePayload = () => payload("ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS", { providerIds: ["1"], ...USER });
const privacyPayload = () =>
  payload("ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2", { encoding: "PAYLOAD_ENCODING_HEXADECIMAL", hashFunction: "HASH_FUNCTION_NO_OP", payload: "9f3b", signWith });

/** Keeps Node from ending while nothing but a promise is waited for. */
async function awake(promise) {
  const alive = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(alive);
  }
}

/** The path of the first leg, and its body. */
const first = ({ calls }) => [`${calls[0].method} ${calls[0].path}`, calls[0].body && JSON.parse(calls[0].body)];

/** Fails unless the one leg that was sent carried no stamp. */
function assertNothingSigned({ calls }) {
  assert.ok(calls.every(({ stamp }) => stamp === undefined));
}

test("an identity provider's account is added", async () => {
  const token = idToken();
  const signed = signing(challenge(oauthPayload(token), { type: "OAUTH" }), { status: 201, body: authMethod("OAUTH") });
  const method = await signed.wallet.addOAuth({ idToken: token, clientId: "client-1" });
  assert.equal(method.type, "OAUTH");
  assert.deepEqual(first(signed), ["POST /auth/credentials", { type: "OAUTH", accountId: ACCOUNT_ID, oidcToken: token }]);
  assert.equal(signed.calls.length, 2);

  for (const [claims, clientId, reason] of [
    [{ nonce: "00" }, "client-1", "nonce"],
    [{}, "client-2", "audience"],
    [{ iat: 1_700_000_000 }, "client-1", "freshness"],
    [{ exp: 1_700_000_000 }, undefined, "freshness"],
    [{ sub: undefined }, undefined, "malformed"],
  ]) {
    const refused = signing(challenge("{}"), undefined);
    const error = await failure("oauth_rejected", refused.wallet.addOAuth({ idToken: idToken(claims), clientId }));
    assert.equal(error.reason, reason);
    assert.equal(refused.calls.length, 0);
  }
  for (const options of [undefined, {}, { idToken: 5 }, { idToken: "x".repeat(20_000) }, { idToken: token, clientId: 5 }]) {
    await failure("invalid_argument", signed.wallet.addOAuth(options));
  }
  assert.equal((await failure("oauth_rejected", signed.wallet.addOAuth({ idToken: "no token" }))).reason, "malformed");

  const swapped = signing(challenge(oauthPayload(idToken({ sub: "2" })), { type: "OAUTH" }), undefined);
  const error = await failure("intent_refused", swapped.wallet.addOAuth({ idToken: idToken() }));
  assert.deepEqual([error.reason, error.recovery, error.requestId], ["parameters", "integrator", "Request:1"]);
  assertNothingSigned(swapped);
});

test("a contact is added back, and its code opens a session", async () => {
  for (const [method, option, contact, type, text] of [
    ["addEmailOtp", "email", EMAIL, "EMAIL_OTP", emailPayload],
    ["addSmsOtp", "phoneNumber", PHONE, "SMS_OTP", phonePayload],
  ]) {
    const enclave = makeEnclave();
    const enclaveOptions = { enclave: { dangerouslyTrust: { otp: enclave.publicKey, export: "unsigned-sandbox" } } };
    const target = enclave.bundle({ targetPublic: makeEnclave().publicKey });
    const created = authMethod(type, { nickname: contact, otpEncryptionTargetBundle: target });
    const challenged = challenge(text(), { type });
    const signed = signedIn((call) => {
      if (call.operation === "verifyAuthCredential") return gridError(401, "UNAUTHORIZED");
      if (!call.stamp) return challenged;
      assertStamp(call.stamp, challenged.body.payloadToSign, signed.wallet.publicKey);
      return { status: 201, body: created };
    }, enclaveOptions);
    const otp = await signed.wallet[method]({ [option]: contact });
    assert.ok(otp instanceof OtpSignIn);
    assert.deepEqual([otp.sentTo, otp.authMethodId], [contact, created.id]);
    assert.deepEqual(otp.state, { authMethodId: created.id, accountId: ACCOUNT_ID, type, sentTo: contact, otpEncryptionTargetBundle: target });
    assert.deepEqual(first(signed), ["POST /auth/credentials", { type, accountId: ACCOUNT_ID }]);
    // Its code is asked for at the new credential.
    const error = await failure("otp_rejected", otp.submit("000000"));
    assert.deepEqual([error.recovery, error.status, error.gridCode], ["fix_input", 401, "UNAUTHORIZED"]);
    assert.equal(signed.calls.at(-1).path, "/auth/credentials/AuthMethod%3A2/verify");
    assert.equal(JSON.parse(signed.calls.at(-1).body).type, type);

    for (const options of [undefined, {}, { [option]: 5 }, { [option]: "" }, { [option]: "x".repeat(600) }, Object.create({ [option]: contact })]) {
      await failure("invalid_argument", signed.wallet[method](options));
    }
    const other = signing(challenge(emailPayload("mallory@example.com")), undefined);
    await failure("intent_refused", other.wallet[method]({ [option]: contact }));
    assertNothingSigned(other);
  }
});

test("a credential is removed, and nothing that nobody has documented is signed", async () => {
  const signed = signing(challenge(revokePayload(), { type: "OAUTH" }), { status: 204, body: "" });
  assert.equal(await signed.wallet.revokeAuthMethod("AuthMethod:2"), undefined);
  assert.deepEqual(first(signed), ["DELETE /auth/credentials/AuthMethod%3A2", undefined]);

  const gone = signedIn(() => gridError(404, "NOT_FOUND"));
  assert.equal(await gone.wallet.revokeAuthMethod("AuthMethod:2", undefined), undefined);

  for (const type of ["EMAIL_OTP", "SMS_OTP", undefined]) {
    const unknown = signing(challenge(revokePayload(), { type }), undefined);
    const error = await failure("intent_refused", unknown.wallet.revokeAuthMethod("AuthMethod:2"));
    assert.deepEqual([error.reason, error.recovery], ["undocumented", "integrator"]);
    assertNothingSigned(unknown);
  }
  const parameters = { authMethod: "AuthMethod:2" };
  const text = payload("ACTIVITY_TYPE_DELETE_CONTACT", parameters);
  const stated = signing(challenge(text, { type: "EMAIL_OTP" }), { status: 204, body: "" });
  const seen = [];
  await stated.wallet.revokeAuthMethod("AuthMethod:2", {
    intent: async (given) => {
      seen.push(given);
      return { kind: "activity", activityType: "ACTIVITY_TYPE_DELETE_CONTACT", parameters };
    },
  });
  assert.deepEqual(seen, [text]);
  for (const [id, options] of [
    [undefined],
    ["Session:1"],
    ["AuthMethod:2", { intent: {} }],
    ["AuthMethod:2", { intent: "revokeOauth" }],
    ["AuthMethod:2", null],
  ]) {
    await failure("invalid_argument", stated.wallet.revokeAuthMethod(id, options));
  }
});

test("a contact is changed, signed for or not", async () => {
  for (const [method, name, contact, text] of [
    ["updateEmail", "email", EMAIL, emailPayload],
    ["updatePhoneNumber", "phoneNumber", PHONE, phonePayload],
  ]) {
    const options = { customerId: "Customer:1", [name]: contact };
    const customer = { status: 200, body: { id: "Customer:1", [name]: contact } };
    const signed = signing(challenge(text()), customer);
    assert.equal(await signed.wallet[method](options), undefined);
    assert.deepEqual(first(signed), ["PATCH /customers/Customer%3A1", { customerType: "INDIVIDUAL", [name]: contact }]);
    assert.equal(signed.calls.length, 2);

    const untied = signedIn(() => customer);
    assert.equal(await untied.wallet[method](options), undefined);
    assertNothingSigned(untied);

    const swapped = signing(challenge(method === "updateEmail" ? emailPayload("mallory@example.com") : emailPayload()), undefined);
    const error = await failure("intent_refused", swapped.wallet[method](options));
    assert.equal(error.reason, method === "updateEmail" ? "parameters" : "type");
    assert.deepEqual(error.details, method === "updateEmail" ? undefined : { activityType: "ACTIVITY_TYPE_UPDATE_USER_EMAIL" });
    assertNothingSigned(swapped);

    for (const wrong of [{ ...options, customerId: "Session:1" }, { customerId: "Customer:1" }, { [name]: contact }, { ...options, [name]: "" }, { ...options, timeoutMs: 0 }]) {
      await failure("invalid_argument", signed.wallet[method](wrong));
    }
  }
});

test("privacy is set, by whoever says that it is signed blind", async () => {
  const signed = signing(challenge(privacyPayload()), { status: 200, body: internalAccount({ privateEnabled: false }) });
  const account = await signed.wallet.updatePrivacy({ privateEnabled: false, allowBlindSigning: true });
  assert.equal(account.privateEnabled, false);
  assert.deepEqual(first(signed), ["PATCH /internal-accounts/InternalAccount%3A1", { privateEnabled: false }]);
  for (const options of [undefined, { privateEnabled: true }, { privateEnabled: true, allowBlindSigning: 1 }, { allowBlindSigning: true }, { privateEnabled: "false", allowBlindSigning: true }]) {
    await failure("invalid_argument", signed.wallet.updatePrivacy(options));
  }
  const payment = signing(challenge(quotePayload()), undefined);
  const error = await failure("intent_refused", payment.wallet.updatePrivacy({ privateEnabled: true, allowBlindSigning: true }));
  assert.equal(error.details.activityType, "ACTIVITY_TYPE_SIGN_TRANSACTION_V2");
  assertNothingSigned(payment);
});

test("a mnemonic is exported as bytes, and only of a wallet that somebody named", async () => {
  const [vector] = vectors("turnkey_export_bundle").tests;
  const { organizationId } = vector;
  let key;
  const answer = (call) => {
    if (!call.stamp) {
      ({ clientPublicKey: key } = JSON.parse(call.body));
      return challenge(payload("ACTIVITY_TYPE_EXPORT_WALLET", { targetPublicKey: key, walletId: "wallet_1" }, { organizationId }));
    }
    return { status: 200, body: { id: ACCOUNT_ID, encryptedWalletCredentials: vector.exportBundle } };
  };
  /** The key that receives it is made at random, of which this is the outcome that Turnkey published. */
  const exported = async ({ wallet }, options) => {
    const { getRandomValues } = crypto;
    crypto.getRandomValues = (array) => (array.set(bytes(vector.privateKey)), array);
    try {
      return await wallet.exportMnemonic(options);
    } finally {
      crypto.getRandomValues = getRandomValues;
    }
  };
  const byOption = signedIn(answer);
  const mnemonic = await exported(byOption, { organizationId });
  assert.ok(mnemonic instanceof Uint8Array);
  assert.equal(Buffer.from(mnemonic).toString(), vector.mnemonic);
  assert.deepEqual(first(byOption), ["POST /internal-accounts/InternalAccount%3A1/export", { clientPublicKey: key }]);
  assert.equal(key.length, 130);

  const byClient = signedIn(answer, { organizations: { [ACCOUNT_ID]: organizationId } });
  assert.equal(Buffer.from(await exported(byClient)).toString(), vector.mnemonic);
  // What was named once is remembered, until it is forgotten.
  assert.equal(Buffer.from(await exported(byOption)).toString(), vector.mnemonic);
  await byOption.client.forgetOrganization(ACCOUNT_ID);
  const error = await failure("invalid_argument", byOption.wallet.exportMnemonic());
  assert.match(error.message, /`organizationId`/);

  const other = await failure("intent_refused", byOption.wallet.exportMnemonic({ organizationId: "another" }));
  assert.equal(other.reason, "organization");
  // Sealed to another key than this one.
  const sealed = await failure("decrypt_failed", byOption.wallet.exportMnemonic({ organizationId }));
  assert.equal(sealed.operation, undefined);
  for (const options of [null, "x", { organizationId: 5 }, { organizationId: "x".repeat(600) }]) {
    await failure("invalid_argument", byOption.wallet.exportMnemonic(options));
  }
});

test("the first organization that Grid accepts is the account's until it is forgotten", async () => {
  const options = { customerId: "Customer:1", email: EMAIL };
  let organizationId = ORGANIZATION;
  const { client, wallet } = signedIn((call) =>
    call.stamp ? { status: 200, body: { id: "Customer:1", email: EMAIL } } : challenge(emailPayload(EMAIL, { organizationId })),
  );
  await wallet.updateEmail(options);
  organizationId = "org_other";
  assert.equal((await failure("intent_refused", wallet.updateEmail(options))).reason, "organization");
  await client.forgetOrganization(ACCOUNT_ID);
  await wallet.updateEmail(options);
  organizationId = ORGANIZATION;
  assert.equal((await failure("intent_refused", wallet.updateEmail(options))).reason, "organization");
});

test("a quote is paid as it was given, by whoever says that it is signed blind", async () => {
  const text = quotePayload();
  const paid = quote(text, { status: "PROCESSING" });
  const signed = signedIn((call) => {
    assertStamp(call.stamp, text, signed.wallet.publicKey);
    return { status: 200, body: paid };
  });
  const asked = quote(text);
  const result = await signed.wallet.executeQuote(asked, { allowBlindSigning: true });
  assert.deepEqual(result, JSON.parse(JSON.stringify(paid)));
  assert.deepEqual(first(signed), ["POST /quotes/Quote%3A1/execute", undefined]);
  const [{ requestId, idempotencyKey }] = signed.calls;
  assert.equal(requestId, undefined);
  assert.match(idempotencyKey, /^[0-9a-f]{32}$/);
  await signed.wallet.executeQuote(asked, { allowBlindSigning: true, idempotencyKey: "mine", scaFactor: "PASSKEY" });
  assert.deepEqual([signed.calls[1].idempotencyKey, signed.calls[1].body], ["mine", '{"scaFactor":"PASSKEY"}']);

  signed.calls.length = 0;
  for (const [wrong, options] of [
    [asked, undefined],
    [asked, {}],
    [asked, { allowBlindSigning: "true" }],
    [asked, { allowBlindSigning: true, scaFactor: "TOTP" }],
    [undefined, { allowBlindSigning: true }],
    [JSON.stringify(asked), { allowBlindSigning: true }],
    [{ ...asked, id: 5 }, { allowBlindSigning: true }],
    [{ ...asked, source: { ...asked.source, accountId: "InternalAccount:2" } }, { allowBlindSigning: true }],
    [{ ...asked, paymentInstructions: [...asked.paymentInstructions, ...asked.paymentInstructions] }, { allowBlindSigning: true }],
    [{ ...asked, paymentInstructions: undefined }, { allowBlindSigning: true }],
    [new Proxy(asked, { get() { throw new Error("0xcanary"); } }), { allowBlindSigning: true }],
  ]) {
    await failure("invalid_argument", signed.wallet.executeQuote(wrong, options));
  }
  await failure("challenge_expired", signed.wallet.executeQuote({ ...asked, expiresAt: soon(-1000) }, { allowBlindSigning: true }));
  // Another wallet than the one that has paid before, and no payment at all.
  const elsewhere = quote(payload("ACTIVITY_TYPE_SIGN_TRANSACTION_V2", { signWith: "sp1qother", type: "T", unsignedTransaction: "00" }));
  assert.equal((await failure("intent_refused", signed.wallet.executeQuote(elsewhere, { allowBlindSigning: true }))).reason, "parameters");
  const email = await failure("intent_refused", signed.wallet.executeQuote(quote(emailPayload()), { allowBlindSigning: true }));
  assert.deepEqual([email.reason, email.details], ["type", { activityType: "ACTIVITY_TYPE_UPDATE_USER_EMAIL" }]);
  assert.deepEqual(signed.calls, []);

  const unknown = signedIn(() => gridError(500, "INTERNAL_ERROR"));
  const error = await failure("grid_error", unknown.wallet.executeQuote(asked, { allowBlindSigning: true }));
  assert.equal(error.reason, "outcome_unknown");
  assert.equal(unknown.calls.length, 1);
});

test("a delegated key is made after the app has read both payloads", async () => {
  const stated = (step) => ({ kind: "activity", activityType: "ACTIVITY_TYPE_CREATE_POLICY", parameters: { step } });
  const texts = [1, 2].map((step) => payload("ACTIVITY_TYPE_CREATE_POLICY", { step }));
  const legs = texts.map((text, index) => challenge(text, { requestId: `Request:${index + 1}` }));
  const options = { cardId: "Card:1", nickname: "Card" };
  const signed = signing(legs, { status: 201, body: delegatedKey() });
  const seen = [];
  const key = await signed.wallet.createDelegatedKey({ ...options, intent: (text) => (seen.push(text), stated(seen.length)) });
  assert.equal(key.id, "DelegatedKey:1");
  assert.deepEqual(seen, texts);
  assert.deepEqual(first(signed), ["POST /auth/delegated-keys", { cardId: "Card:1", internalAccountId: ACCOUNT_ID, nickname: "Card" }]);
  assert.equal(signed.calls.length, 3);

  const refused = signing(legs, undefined);
  const error = await failure("intent_refused", refused.wallet.createDelegatedKey({ ...options, intent: () => stated(2) }));
  assert.equal(error.reason, "parameters");
  assertNothingSigned(refused);
  // A kind that signs something else is not for this.
  await failure("invalid_argument", refused.wallet.createDelegatedKey({ ...options, intent: () => ({ kind: "executeQuote", allowBlindSigning: true }) }));
  assertNothingSigned(refused);
  for (const wrong of [undefined, options, { ...options, intent: stated(1) }, { ...options, intent: () => 1, cardId: "Quote:1" }, { intent: () => 1, nickname: "Card" }, { ...options, nickname: "", intent: () => 1 }]) {
    await failure("invalid_argument", refused.wallet.createDelegatedKey(wrong));
  }
});

test("a payload of the app's own routes is stamped for what it is", async () => {
  const { wallet, calls } = signedIn(() => gridError(404, "NOT_FOUND"));
  const intent = { kind: "setEmail", email: EMAIL };
  const text = emailPayload();
  assertStamp(await wallet.stamp(text, intent), text, wallet.publicKey);
  // The next payload is to be of the same organization.
  const elsewhere = emailPayload(EMAIL, { organizationId: "org_other" });
  assert.equal((await failure("intent_refused", wallet.stamp(elsewhere, intent))).reason, "organization");
  const named = { ...intent, organizationId: ORGANIZATION };
  assert.equal((await failure("intent_refused", wallet.stamp(elsewhere, named))).reason, "organization");
  for (const [payloadToSign, given] of [
    [undefined, intent],
    [5, intent],
    [text, undefined],
    [text, "setEmail"],
    [text, { kind: "constructor" }],
    [text, () => intent],
    ["x".repeat(1024 * 1024 + 1), intent],
  ]) {
    await failure("invalid_argument", wallet.stamp(payloadToSign, given));
  }
  assert.equal(calls.length, 0);
  await wallet.signOut();
  await failure("session_expired", wallet.stamp(text, intent));
});

test("a request that this package does not know is signed for what the app says", async () => {
  const parameters = { limit: 5 };
  const text = payload("ACTIVITY_TYPE_NEW", parameters);
  const intent = { kind: "activity", activityType: "ACTIVITY_TYPE_NEW", parameters };
  const request = { method: "POST", path: "/new/things/Thing%3A1?dry=1", body: { a: [1, { b: null }] }, intent };
  for (const given of [intent, () => intent, async () => intent]) {
    const signed = signing(challenge(text), { status: 201, body: { id: "Thing:1", list: [1] } });
    assert.deepEqual(await signed.wallet.signedRequest({ ...request, intent: given }), { id: "Thing:1", list: [1] });
    assert.deepEqual(first(signed), [`POST ${request.path}`, request.body]);
    assert.equal(signed.calls[0].operation, "signedRequest");
    assert.equal(signed.calls.length, 2);
  }
  const { wallet, calls } = signing(challenge(text), undefined);
  for (const path of [
    undefined,
    "",
    "/",
    "new",
    "//evil.example/x",
    "https://evil.example/x",
    "/a/../b",
    "/a/./b",
    "/a//b",
    "/a/%2e%2E/b",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/a b",
    "/a#b",
    "/\u00e9",
    "/a\nb",
    `/${"a".repeat(2048)}`,
    ["/a"],
    new String("/a"),
  ]) {
    await failure("invalid_argument", wallet.signedRequest({ ...request, path }));
  }
  for (const wrong of [
    undefined,
    { ...request, method: "post" },
    { ...request, method: "CONNECT" },
    { ...request, method: undefined },
    { ...request, intent: undefined },
    { ...request, intent: { kind: "constructor" } },
    { ...request, body: () => 1 },
    { ...request, body: { a: 1n } },
    { ...request, body: { a: new Date() } },
    { ...request, signal: {} },
  ]) {
    await failure("invalid_argument", wallet.signedRequest(wrong));
  }
  assert.deepEqual(calls, []);
  const refused = signing(challenge(payload("ACTIVITY_TYPE_NEW", { limit: 6 })), undefined);
  await failure("intent_refused", refused.wallet.signedRequest(request));
  assertNothingSigned(refused);
  const unsigned = signedIn(() => ({ status: 200, body: {} }));
  const error = await failure("relay_protocol", unsigned.wallet.signedRequest(request));
  assert.equal(error.reason, "unsigned");
});

test("what an `intent` function does that is none of an intent is the app's refusal", async () => {
  const { wallet, calls } = signing(challenge(payload("ACTIVITY_TYPE_NEW", {})), undefined);
  const request = { method: "POST", path: "/new", body: {} };
  for (const intent of [
    () => {
      throw new Error("0xcanary");
    },
    async () => {
      throw undefined;
    },
    () => ({ then() { throw new Error("0xcanary"); } }),
    () => ({ get then() { throw new Error("0xcanary"); } }),
  ]) {
    const error = await failure("intent_refused", wallet.signedRequest({ ...request, intent }));
    assert.deepEqual([error.reason, error.recovery], ["application", "integrator"]);
    assert.ok(!`${error.message}${error.stack}`.includes("0xcanary"));
  }
  for (const junk of [undefined, null, true, "activity", 5n, [], {}, { kind: "constructor" }, Symbol("x"), new Map(), () => 1]) {
    await failure("invalid_argument", wallet.signedRequest({ ...request, intent: () => junk }));
  }
  assertNothingSigned({ calls });
});

test("an `intent` function may do anything while it is asked", async () => {
  const parameters = { a: 1 };
  const intent = { kind: "activity", activityType: "ACTIVITY_TYPE_NEW", parameters };
  const text = payload("ACTIVITY_TYPE_NEW", parameters);
  const request = { method: "POST", path: "/new", body: {} };

  // Asks the same session for more.
  const inner = [];
  const signed = signing(challenge(text), { status: 200, body: {} });
  await signed.wallet.signedRequest({
    ...request,
    intent: async () => {
      inner.push(await signed.wallet.stamp(text, intent));
      assert.ok(signed.wallet.isActive);
      return intent;
    },
  });
  assertStamp(inner[0], text, signed.wallet.publicKey);

  // Frees it, as a page does that is left: what is under way goes on.
  const freed = signedIn((call) => (call.stamp ? { status: 200, body: {} } : challenge(text)));
  await freed.wallet.signedRequest({ ...request, intent: () => (freed.wallet.free(), freed.client.free(), intent) });
  assert.equal(freed.calls.length, 2);
  await failure("used_after_free", freed.wallet.signedRequest({ ...request, intent }));

  // Signs out: then nothing is signed.
  const ended = signedIn((call) => (call.operation === "revokeAuthSession" ? gridError(404, "NOT_FOUND") : challenge(text)));
  await failure("session_expired", ended.wallet.signedRequest({ ...request, intent: async () => (await ended.wallet.signOut(), intent) }));
  assertNothingSigned(ended);

  // Never comes back, and the call is aborted, or aborts it itself.
  for (const late of [() => new Promise(() => {}), (controller) => (controller.abort("mine"), intent)]) {
    const controller = new AbortController();
    const { wallet, calls } = signing(challenge(text), undefined);
    const aborting = failure("aborted", wallet.signedRequest({ ...request, signal: controller.signal, intent: () => late(controller) }));
    setTimeout(() => controller.abort("mine"), 50);
    const error = await awake(aborting);
    assert.equal(error.cause, "mine");
    assertNothingSigned({ calls });
  }
});

test("a call is ended in each of its phases", async () => {
  const token = idToken();
  const text = oauthPayload(token);
  const phases = { first: 0, second: 1 };
  for (const [phase, at] of Object.entries(phases)) {
    const controller = new AbortController();
    const { wallet, calls } = signedIn((call) => {
      if (calls.length - 1 !== at) return challenge(text, { type: "OAUTH" });
      setTimeout(() => controller.abort(), 5);
      assert.equal(call.signal.aborted, false);
      return new Promise(() => {});
    });
    const error = await awake(failure("aborted", wallet.addOAuth({ idToken: token, signal: controller.signal })));
    assert.equal(error.cause, controller.signal.reason);
    assert.equal(error.reason, phase === "second" ? "outcome_unknown" : undefined);
    assert.ok(calls[at].signal.aborted, phase);
  }
  const { wallet, calls } = signedIn(() => assert.fail("nothing is sent"));
  const signal = AbortSignal.abort();
  for (const [method, ...args] of [
    ["addOAuth", { idToken: token, signal }],
    ["addEmailOtp", { email: EMAIL, signal }],
    ["addSmsOtp", { phoneNumber: PHONE, signal }],
    ["revokeAuthMethod", "AuthMethod:2", { signal }],
    ["updateEmail", { customerId: "Customer:1", email: EMAIL, signal }],
    ["updatePhoneNumber", { customerId: "Customer:1", phoneNumber: PHONE, signal }],
    ["updatePrivacy", { privateEnabled: true, allowBlindSigning: true, signal }],
    ["exportMnemonic", { organizationId: ORGANIZATION, signal }],
    ["executeQuote", quote(quotePayload()), { allowBlindSigning: true, signal }],
    ["createDelegatedKey", { cardId: "Card:1", nickname: "Card", intent: () => ({}), signal }],
    ["signedRequest", { method: "POST", path: "/new", intent: { kind: "revokeSession" }, signal }],
  ]) {
    await failure("aborted", wallet[method](...args));
  }
  assert.equal(calls.length, 0);
});

test("what Grid refuses is told by its code, with what helps", async () => {
  const text = emailPayload();
  const options = { customerId: "Customer:1", email: EMAIL };
  for (const [reply, isSecond, expected] of [
    [gridError(401, "WALLET_SIGNATURE_INVALID"), true, { code: "signature_rejected", recovery: "sign_in" }],
    [gridError(401, "UNAUTHORIZED"), true, { code: "challenge_expired" }],
    [gridError(409, "EMAIL_OTP_EMAIL_ALREADY_EXISTS"), false, { code: "credential_already_exists" }],
    [gridError(403, "FORBIDDEN"), false, { code: "forbidden" }],
    [gridError(404, "NOT_FOUND"), false, { code: "not_found" }],
    [{ ...gridError(429, "RATE_LIMITED"), retryAfterMs: 2500 }, false, { code: "rate_limited", recovery: "wait", retryAfterMs: 2500 }],
    [gridError(400, "INVALID_INPUT", { details: { reason: "LATER", field: "email" } }), false, { code: "grid_error", reason: "LATER" }],
    [{ status: 200, body: "<html>" }, false, { code: "relay_protocol" }],
  ]) {
    const { wallet } = signedIn((call) => (isSecond && !call.stamp ? challenge(text) : reply));
    const error = await failure(expected.code, wallet.updateEmail(options));
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${expected.code}.${name}`);
    assert.equal(error.operation, "updateCustomerById");
    assert.equal(error.status, reply.status);
    assert.equal(error.gridCode, reply.body.code);
    assert.equal(error.requestId, isSecond ? "Request:1" : undefined);
    if (reply.body.details?.field) assert.deepEqual(error.details, reply.body.details);
  }
  // A challenge that is over, and one after another.
  const late = signing(challenge(text, { expiresAt: soon(-1000) }), undefined);
  await failure("clock_wrong", late.wallet.updateEmail(options));
  assertNothingSigned(late);
  const endless = signedIn(() => challenge(text));
  await failure("relay_protocol", endless.wallet.updateEmail(options));
  assert.equal(endless.calls.length, 2);
});
