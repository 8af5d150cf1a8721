// Layer 2 on the built package: what each operation sends, and what becomes of its answers.

import assert from "node:assert/strict";
import test from "node:test";

import { createGridkey } from "../../pkg/node.js";
import { failure } from "./failure.mjs";
import { ACCOUNT_ID, authMethod, challenge, delegatedKey, internalAccount, quote, session, soon } from "./grid.mjs";

const KEY = `04${"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"}${"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"}`;
const ACCOUNT = { accountId: ACCOUNT_ID };
const ASSERTION = { credentialId: "AdKX", clientDataJson: "eyJj", authenticatorData: "AAAA", signature: "MEUC" };
const ATTESTATION = { credentialId: "AdKX", clientDataJson: "eyJj", attestationObject: "o2Nm", transports: ["internal"] };
const QUOTE_REQUEST = {
  source: { sourceType: "ACCOUNT", ...ACCOUNT },
  destination: { destinationType: "ACCOUNT", accountId: "ExternalAccount:1" },
  lockedCurrencySide: "SENDING",
  lockedCurrencyAmount: 1000,
};
const PASSKEY_CHALLENGE = { ...authMethod("PASSKEY"), credentialId: "AdKX", challenge: "01".repeat(32), requestId: "Request:1", expiresAt: soon() };
const DEVICE_CODE = { code: "GRID-AGENT-AAAA-BBBB", agentId: "Agent:1", expiresAt: soon(), redeemed: false };
const STATUS = { code: DEVICE_CODE.code, redeemed: false };
const OPTIONS = { challenge: "AAECAwQFBgcICQoLDA0ODw", expiresAt: soon(), rp: {}, user: { id: "AQ", name: "a", displayName: "a" }, excludeCredentials: [] };
const EXPORT = { id: ACCOUNT_ID, encryptedWalletCredentials: "{}" };
const CUSTOMER = { id: "Customer:1", email: "a@b.example", anything: [1] };
const CHALLENGE = { ...challenge("{}"), as: "challenge" };
const DONE = { status: 204, body: "" };

const answered = (status, as, body) => ({ status, as, body });
const listed = (as, item) => ({ status: 200, as, body: { data: [item] }, value: [item] });

/** Name: arguments, method and path, body, answers. */
const OPERATIONS = {
  authorizeQuote: [["Quote:1", { code: "123456" }], "POST /quotes/Quote%3A1/authorize", answered(200, "quote", quote("{}"))],
  challengeAuthCredential: [["AuthMethod:1", { clientPublicKey: KEY }], "POST /auth/credentials/AuthMethod%3A1/challenge"],
  createAuthCredential: [
    [{ type: "PASSKEY", ...ACCOUNT, nickname: "Phone", challenge: "ArkQ", attestation: ATTESTATION }],
    "POST /auth/credentials",
    CHALLENGE,
    answered(201, "authMethod", authMethod("PASSKEY")),
  ],
  createDelegatedKey: [
    [{ cardId: "Card:1", internalAccountId: ACCOUNT_ID, nickname: "Card" }],
    "POST /auth/delegated-keys",
    CHALLENGE,
    answered(201, "delegatedKey", delegatedKey()),
  ],
  createPasskeyRegistrationOptions: [[ACCOUNT], "POST /auth/credentials/registration-options", answered(200, "options", OPTIONS)],
  createQuote: [
    [QUOTE_REQUEST],
    "POST /quotes",
    answered(201, "quote", quote("{}")),
    answered(202, "quote", quote("{}", { status: "PENDING_AUTHORIZATION", paymentInstructions: undefined })),
  ],
  executeQuote: [["Quote:1", { scaFactor: "PASSKEY" }], "POST /quotes/Quote%3A1/execute", answered(200, "quote", quote("{}"))],
  exportInternalAccount: [[ACCOUNT_ID, { clientPublicKey: KEY }], "POST /internal-accounts/InternalAccount%3A1/export", CHALLENGE, answered(200, "walletExport", EXPORT)],
  getAgentDeviceCodeStatus: [[DEVICE_CODE.code], "GET /agents/device-codes/GRID-AGENT-AAAA-BBBB/status", answered(200, "deviceCodeStatus", STATUS)],
  getDelegatedKeyById: [["DelegatedKey:1"], "GET /auth/delegated-keys/DelegatedKey%3A1", answered(200, "delegatedKey", delegatedKey())],
  getQuoteById: [["Quote:1"], "GET /quotes/Quote%3A1", answered(200, "quote", quote("{}"))],
  listAuthCredentials: [[ACCOUNT], "GET /auth/credentials?accountId=InternalAccount%3A1", listed("authMethods", authMethod())],
  listAuthSessions: [[ACCOUNT], "GET /auth/sessions?accountId=InternalAccount%3A1", listed("sessions", session())],
  listCustomerInternalAccounts: [
    [{ customerId: "Customer:1", type: "EMBEDDED_WALLET", currency: "USDC", limit: 20, cursor: "a&b" }],
    "GET /customers/internal-accounts?customerId=Customer%3A1&type=EMBEDDED_WALLET&currency=USDC&limit=20&cursor=a%26b",
  ],
  listDelegatedKeys: [[{ fundingSourceId: "CardFundingSource:1" }], "GET /auth/delegated-keys?fundingSourceId=CardFundingSource%3A1", listed("delegatedKeys", delegatedKey())],
  refreshAuthSession: [["Session:1", { clientPublicKey: KEY }], "POST /auth/sessions/Session%3A1/refresh", CHALLENGE, answered(201, "session", session())],
  regenerateAgentDeviceCode: [["Agent:1"], "POST /agents/Agent%3A1/device-codes", answered(201, "deviceCode", DEVICE_CODE)],
  resendQuoteScaCode: [["Quote:1"], "POST /quotes/Quote%3A1/authorize/resend", DONE],
  revokeAuthCredential: [["AuthMethod:1"], "DELETE /auth/credentials/AuthMethod%3A1", CHALLENGE, DONE],
  revokeAuthSession: [["Session:1"], "DELETE /auth/sessions/Session%3A1", CHALLENGE, DONE],
  revokeDelegatedKey: [["DelegatedKey:1"], "DELETE /auth/delegated-keys/DelegatedKey%3A1", DONE],
  updateCustomerById: [["Customer:1", { customerType: "INDIVIDUAL", email: "a@b.example" }], "PATCH /customers/Customer%3A1", CHALLENGE, answered(200, "customer", CUSTOMER)],
  updateInternalAccount: [[ACCOUNT_ID, { privateEnabled: true }], "PATCH /internal-accounts/InternalAccount%3A1", CHALLENGE, answered(200, "internalAccount", internalAccount())],
  verifyAuthCredential: [
    ["AuthMethod:1", { type: "EMAIL_OTP", encryptedOtpBundle: "AAAA" }],
    "POST /auth/credentials/AuthMethod%3A1/verify",
    CHALLENGE,
    answered(200, "session", session()),
  ],
};

const calls = [];
let reply;
const { api } = createGridkey({
  transport: async (call) => {
    calls.push(call);
    return reply;
  },
});

/** Calls an operation, which is answered so, and gives what it came to and what was sent. */
async function asked(name, args, answer) {
  calls.length = 0;
  reply = answer;
  const result = await api[name](...args);
  assert.equal(calls.length, 1);
  return [result, calls[0]];
}

test("each operation sends what the API's document says, and reads its answers", async () => {
  assert.ok(Object.isFrozen(api));
  assert.deepEqual(Object.keys(api).sort(), Object.keys(OPERATIONS).sort());
  for (const [name, [args, route, ...answers]] of Object.entries(OPERATIONS)) {
    const sent = args.at(-1);
    for (const { status, as, body, value = body } of answers) {
      const [result, call] = await asked(name, args, { status, body });
      // What JSON cannot say does not arrive.
      const expected = { status, ...(as && { [as]: JSON.parse(JSON.stringify(value)) }) };
      assert.deepEqual(result, expected, name);
      assert.equal(`${call.method} ${call.path}`, route);
      assert.equal(call.operation, name);
      assert.equal(call.body, call.method === "GET" || typeof sent === "string" ? undefined : JSON.stringify(sent), name);
      assert.ok(!("stamp" in call || "requestId" in call || "idempotencyKey" in call));
    }
  }
});

test("a challenge is of the kind of its credential, and a page says how it goes on", async () => {
  const args = ["AuthMethod:1", { clientPublicKey: KEY }];
  const [passkey, call] = await asked("challengeAuthCredential", args, { status: 200, body: PASSKEY_CHALLENGE });
  assert.deepEqual(passkey, { status: 200, type: "PASSKEY", challenge: PASSKEY_CHALLENGE });
  assert.deepEqual(call.params, { id: "AuthMethod:1" });
  const method = authMethod("SMS_OTP", { otpEncryptionTargetBundle: "{}" });
  const [otp, { body }] = await asked("challengeAuthCredential", ["AuthMethod:1"], { status: 200, body: method });
  assert.deepEqual(otp, { status: 200, type: "SMS_OTP", authMethod: method });
  assert.equal(body, "{}");

  const [list, route] = OPERATIONS.listCustomerInternalAccounts;
  const page = { data: [internalAccount()], hasMore: true, nextCursor: "c", totalCount: 7 };
  const [accounts, { method: verb, path, params }] = await asked("listCustomerInternalAccounts", list, { status: 200, body: page });
  const { data, ...more } = page;
  assert.deepEqual(accounts, { status: 200, internalAccounts: data, ...more });
  assert.equal(`${verb} ${path}`, route);
  assert.deepEqual(params, { ...list[0], limit: "20" });
});

test("of what may be done and must not be repeated, the outcome is unknown where no whole answer came", async () => {
  const [transport, options] = [(call) => answer(call), { timeoutMs: 20 }];
  const { api } = createGridkey({ transport });
  const unknown = async (code, call) => (await failure(code, call)).reason === "outcome_unknown";
  let answer = () => new Promise(() => {});
  const alive = setInterval(() => {}, 1000);
  try {
    assert.ok(await unknown("timeout", api.regenerateAgentDeviceCode("Agent:1", options)));
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 20);
    assert.ok(await unknown("aborted", api.createQuote(QUOTE_REQUEST, { signal: leaving.signal })));
    // It was never sent.
    assert.ok(!(await unknown("aborted", api.createQuote(QUOTE_REQUEST, { signal: AbortSignal.abort() }))));
    // It does no harm, whatever comes of it; with a stamp it does.
    assert.ok(!(await unknown("timeout", api.listAuthSessions(ACCOUNT, options))));
    assert.ok(!(await unknown("timeout", api.revokeAuthSession("Session:1", options))));
    const signed = { stamp: "c3RhbXA", requestId: "Request:1", ...options };
    assert.ok(await unknown("timeout", api.revokeAuthSession("Session:1", signed)));
  } finally {
    clearInterval(alive);
  }
  answer = () => Promise.reject(new Error("offline"));
  assert.ok(await unknown("network", api.challengeAuthCredential("AuthMethod:1")));
  for (const [status, isUnknown] of [[500, true], [503, true], [404, false], [409, false]]) {
    answer = async () => ({ status, body: { status, code: "X", message: "m", details: {} } });
    const error = await api.regenerateAgentDeviceCode("Agent:1").catch((error) => error);
    assert.equal(error.reason === "outcome_unknown", isUnknown, `${status}: ${error.reason}`);
  }
});

test("a second leg has its headers, and only the operations that have one", async () => {
  const headers = { stamp: "c3RhbXA", requestId: "Request:1" };
  for (const [name, [args, , ...answers]] of Object.entries(OPERATIONS)) {
    const { status, body } = answers.at(-1) ?? { status: 200, body: PASSKEY_CHALLENGE };
    if (answers[0] === CHALLENGE) {
      const [, call] = await asked(name, [...args, headers], { status, body });
      assert.deepEqual([call.stamp, call.requestId], Object.values(headers), name);
    } else {
      await failure("invalid_argument", api[name](...args, headers));
    }
    await failure("invalid_argument", api[name](...args, { requestId: "Request:1" }));
    await failure("invalid_argument", api[name](...args, { timeoutMs: -1 }));
  }
  const [, execute] = await asked("executeQuote", ["Quote:1", undefined, { stamp: "c3RhbXA", idempotencyKey: "k" }], { status: 200, body: quote("{}") });
  assert.deepEqual([execute.stamp, execute.idempotencyKey, execute.body], ["c3RhbXA", "k", undefined]);
  const [, create] = await asked("createQuote", [QUOTE_REQUEST, { idempotencyKey: "k" }], { status: 201, body: quote("{}") });
  assert.equal(create.idempotencyKey, "k");
  const verify = ["AuthMethod:1", { type: "PASSKEY", assertion: ASSERTION }];
  const [, passkey] = await asked("verifyAuthCredential", [...verify, { requestId: "Request:1" }], { status: 200, body: session() });
  assert.equal(passkey.requestId, "Request:1");
  await failure("invalid_argument", api.verifyAuthCredential(...verify));
  await failure("invalid_argument", api.verifyAuthCredential(...verify, headers));
});

test("nothing is sent that is not of the API's form", async () => {
  calls.length = 0;
  for (const [name, [args]] of Object.entries(OPERATIONS)) {
    const [first, second] = args;
    for (const wrong of [undefined, null, 5, "", "Request:1", "../Quote:1", [], {}]) {
      // Of two delegated keys' owners at least one is for Grid to ask for.
      if (name === "listDelegatedKeys" && (wrong === undefined || typeof wrong === "object")) continue;
      await failure("invalid_argument", api[name](wrong, second));
    }
    const data = typeof first === "string" ? second : first;
    if (!data) continue;
    const also = (more) => (data === second ? [first, more] : [more]);
    for (const wrong of [{ ...data, more: 1 }, { ...data, __proto__: { a: 1 } }, new Map(Object.entries(data)), [data], JSON.stringify(data), () => data]) {
      await failure("invalid_argument", api[name](...also(wrong)));
    }
    for (const member of Object.keys(data)) {
      for (const wrong of [null, NaN, 10n, {}, new String(data[member]), "\ud800", Symbol("a"), () => 1, "x".repeat(300_000)]) {
        const error = await failure("invalid_argument", api[name](...also({ ...data, [member]: wrong })));
        assert.ok(!/ud800|xxx/.test(error.message));
      }
    }
  }
  assert.deepEqual(calls, []);
});

test("what a page has done to Object.prototype is neither sent nor read", async () => {
  Object.prototype.toJSON = () => "evil";
  Object.prototype.nickname = "evil";
  Object.prototype.stamp = "evil";
  try {
    const [, call] = await asked("refreshAuthSession", ["Session:1", { clientPublicKey: KEY }], { status: 201, body: JSON.stringify({ __proto__: null, ...session(), toJSON: undefined }) });
    assert.equal(call.body, `{"clientPublicKey":"${KEY}"}`);
    assert.ok(!Object.hasOwn(call, "stamp"));
    await failure("invalid_argument", api.createDelegatedKey({ cardId: "Card:1", internalAccountId: ACCOUNT_ID }));
  } finally {
    delete Object.prototype.toJSON;
    delete Object.prototype.nickname;
    delete Object.prototype.stamp;
  }
});

test("a getter is asked once, so that what is checked is what is sent", async () => {
  let reads = 0;
  const body = {
    get clientPublicKey() {
      return reads++ === 0 ? KEY : "evil";
    },
  };
  const [, call] = await asked("refreshAuthSession", ["Session:1", body], { status: 201, body: session() });
  assert.equal(call.body, `{"clientPublicKey":"${KEY}"}`);
  assert.equal(reads, 1);
});
