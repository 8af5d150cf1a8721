// What is stamped, and what is refused, through the built package.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { before } from "node:test";

import { SessionKey, checkIntent, init } from "../../pkg/node.js";
import { failure, thrown } from "./failure.mjs";
import { ORGANIZATION, assertStamp, makeEnclave, payload, quotePayload, signWith, soon } from "./grid.mjs";
import { bytes, vectors } from "./vectors.mjs";

before(() => init());

const KEY = `04${"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"}${"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"}`;
const EMAIL = { kind: "setEmail", email: "jane@example.com" };
const emailPayload = (more) => payload("ACTIVITY_TYPE_UPDATE_USER_EMAIL", { userEmail: EMAIL.email, userId: "user_1" }, more);

test("the API's examples are accepted, and what was made of them is refused", () => {
  const { tests } = vectors("intent");
  const counts = { accept: 0, reject: 0 };
  for (const { id, payload: text, intent, expect } of tests) {
    const said = JSON.parse(text);
    const check = () => checkIntent(text, intent, { now: Number(said.timestampMs) });
    if (expect === "accept") {
      const isBlind = "allowBlindSigning" in intent;
      const fingerprint = isBlind && { fingerprint: createHash("sha256").update(text).digest("hex") };
      assert.deepEqual(check(), { organizationId: said.organizationId, activityType: said.type, ...fingerprint }, id);
    } else {
      const error = thrown("intent_refused", check);
      assert.equal(error.recovery, "integrator");
      assert.ok(["type", "members", "parameters"].includes(error.reason), `${id}: ${error.reason}`);
      if (error.reason === "type") assert.deepEqual(error.details, { activityType: said.type });
    }
    counts[expect]++;
  }
  assert.deepEqual(counts, { accept: 15, reject: 14 });
});

test("each kind of intent is accepted for its own payload and refused for every other", async () => {
  const attestation = { credentialId: "AdKX", clientDataJson: "eyJj", attestationObject: "o2Nm" };
  const user = { userId: "user_1" };
  const raw = { encoding: "PAYLOAD_ENCODING_HEXADECIMAL", hashFunction: "HASH_FUNCTION_NO_OP", payload: "9f3b", signWith };
  const enclave = makeEnclave();
  const token = enclave.token({ organization_id: ORGANIZATION, verification_type: "OTP_TYPE_EMAIL", contact: "a@b.example", public_key: KEY, exp: String(Date.now() + 60_000) });
  const parameters = { a: [1, { b: "c" }], d: null };
  const kinds = {
    addPasskey: [
      { ...attestation, challenge: "ArkQ", nickname: "Phone" },
      payload("ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2", { authenticators: [{ attestation, authenticatorName: "Phone", challenge: "ArkQ" }], ...user }),
    ],
    addOauth: [{ oidcToken: "a.b.c" }, payload("ACTIVITY_TYPE_CREATE_OAUTH_PROVIDERS", { oauthProviders: [{ oidcToken: "a.b.c", providerName: "Google" }], ...user })],
    setEmail: [{ email: EMAIL.email }, emailPayload()],
    setPhone: [{ phoneNumber: "+14155550123" }, payload("ACTIVITY_TYPE_UPDATE_USER_PHONE_NUMBER", { userPhoneNumber: "+14155550123", ...user })],
    revokePasskey: [{}, payload("ACTIVITY_TYPE_DELETE_AUTHENTICATORS", { authenticatorIds: ["1"], ...user })],
    revokeOauth: [{}, payload("ACTIVITY_TYPE_DELETE_OAUTH_PROVIDERS", { providerIds: ["1"], ...user })],
    revokeSession: [{}, payload("ACTIVITY_TYPE_DELETE_API_KEYS", { apiKeyIds: ["1"], ...user })],
    refreshSession: [{ clientPublicKey: KEY }, payload("ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2", { targetPublicKey: KEY })],
    exportWallet: [{ clientPublicKey: KEY, walletId: "wallet_1" }, payload("ACTIVITY_TYPE_EXPORT_WALLET", { targetPublicKey: KEY, walletId: "wallet_1" })],
    verifyOtp: [{ publicKeyHex: KEY, contact: "a@b.example", quorumPublicKey: enclave.publicKey }, token],
    executeQuote: [{ signWith, allowBlindSigning: true }, quotePayload()],
    updatePrivacy: [{ signWith, allowBlindSigning: true }, payload("ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2", raw)],
    activity: [{ activityType: "ACTIVITY_TYPE_NEW", parameters }, payload("ACTIVITY_TYPE_NEW", { d: null, a: [1, { b: "c" }] })],
  };
  // The private key of `KEY`: only its own token may be stamped with a key.
  const key = SessionKey.dangerouslyFromPrivateKey(bytes("01".padStart(64, "0")));
  for (const [kind, [members, own]] of Object.entries(kinds)) {
    const intent = { kind, ...members };
    assert.equal(checkIntent(own, intent).organizationId, ORGANIZATION, kind);
    assertStamp(await key.stamp(own, intent), own, key.publicKey);
    assertStamp(await key.stamp(own, { ...intent, organizationId: ORGANIZATION, expiresAt: soon() }), own, key.publicKey);
    for (const [other, [, text]] of Object.entries(kinds)) {
      if (other === kind) continue;
      const reason = other === "verifyOtp" ? "malformed" : "type";
      assert.equal(thrown("intent_refused", () => checkIntent(text, intent)).reason, reason, `${kind} for ${other}`);
      assert.equal((await failure("intent_refused", key.stamp(text, intent))).reason, reason);
    }
    // Of another organization, too late, or with one thing more.
    assert.equal((await failure("intent_refused", key.stamp(own, { ...intent, organizationId: "org_other" }))).reason, "organization");
    if (kind !== "verifyOtp") {
      await failure("challenge_expired", key.stamp(own, { ...intent, expiresAt: soon(-1000) }));
      const more = JSON.stringify({ ...JSON.parse(own), more: 1 });
      assert.equal((await failure("intent_refused", key.stamp(more, intent))).reason, "members");
    }
    // A member too few, of another type, or too many.
    for (const member of Object.keys(members)) {
      // Parameters may be anything that JSON can say.
      const wrongs = [new String("x"), ...(member === "parameters" ? [undefined] : [null, 5, [], {}, false, ""])];
      for (const wrong of wrongs) {
        const error = await failure("invalid_argument", key.stamp(own, { ...intent, [member]: wrong }));
        assert.ok(error.message.includes("`intent"), error.message);
      }
    }
    await failure("invalid_argument", key.stamp(own, { ...intent, more: "x" }));
    if ("allowBlindSigning" in members) {
      const { allowBlindSigning, ...unsaid } = intent;
      const error = await failure("invalid_argument", key.stamp(own, unsaid));
      assert.match(error.message, /`intent\.allowBlindSigning`/);
      for (const word of ["true", 1, {}]) await failure("invalid_argument", key.stamp(own, { ...unsaid, allowBlindSigning: word }));
    }
  }
});

test("what is no intent is refused before the payload is looked at", async () => {
  const key = SessionKey.generate();
  class Mine {
    kind = EMAIL.kind;
    email = EMAIL.email;
  }
  for (const intent of [
    undefined,
    null,
    "setEmail",
    5,
    [],
    [EMAIL],
    {},
    { kind: "" },
    { kind: "constructor" },
    { kind: "__proto__" },
    { kind: "toString" },
    { kind: ["setEmail"], email: EMAIL.email },
    { kind: new String("setEmail"), email: EMAIL.email },
    { email: EMAIL.email },
    { ...EMAIL, expiresAt: "soon" },
    { ...EMAIL, expiresAt: Date.now() },
    { ...EMAIL, expiresAt: new Date() },
    { ...EMAIL, organizationId: "" },
    { ...EMAIL, email: "\ud800" },
    { ...EMAIL, email: "x".repeat(300_000) },
    Object.create(EMAIL),
    new Mine(),
    new Map(Object.entries(EMAIL)),
    Promise.resolve(EMAIL),
    () => EMAIL,
    { kind: "activity", activityType: "ACTIVITY_TYPE_NEW", parameters: { a: NaN } },
    { kind: "activity", activityType: "ACTIVITY_TYPE_NEW", parameters: { a: 1n } },
    { kind: "activity", activityType: "ACTIVITY_TYPE_NEW", parameters: () => 1 },
    { get kind() { throw new Error("0xcanary"); } },
    new Proxy(EMAIL, { ownKeys() { throw new Error("0xcanary"); } }),
  ]) {
    const error = thrown("invalid_argument", () => checkIntent("no payload", intent));
    assert.ok(!error.message.includes("0xcanary"));
    await failure("invalid_argument", key.stamp("no payload", intent));
  }
  for (const text of [undefined, null, 5, new String("{}"), "\ud800", "x".repeat(1024 * 1024 + 1)]) {
    thrown("invalid_argument", () => checkIntent(text, EMAIL));
    await failure("invalid_argument", key.stamp(text, EMAIL));
  }
  for (const options of [null, 5, "now", { now: "0" }, { now: NaN }, { now: -1 }, { now: 0.5 }, { now: new Date() }, { now: 9e15 }, { now: 1n }]) {
    thrown("invalid_argument", () => checkIntent(emailPayload(), EMAIL, options));
  }
});

test("what is no payload is refused", async () => {
  const good = emailPayload();
  const { publicKey } = SessionKey.generate();
  for (const [text, reason] of [
    ["", "malformed"],
    ["{}", "malformed"],
    ["[]", "malformed"],
    ["null", "malformed"],
    [`${good}x`, "malformed"],
    [`\ufeff${good}`, "malformed"],
    [good.replace("{", '{"type":"ACTIVITY_TYPE_UPDATE_USER_EMAIL",'), "malformed"],
    [good.replace("userId", "us\\u0065rEmail"), "malformed"],
    [good.replace("ACTIVITY_TYPE_UPDATE_USER_EMAIL", "ACTIVITY_TYPE_EXPORT_WALLET"), "type"],
    [good.replace('"type"', '"a":1,"type"'), "members"],
    [good.replace(EMAIL.email, "mallory@example.com"), "parameters"],
    [good.replace(EMAIL.email, EMAIL.email.toUpperCase()), "parameters"],
    [good.replace('"userId"', '"a":1,"userId"'), "parameters"],
    [good.replace(/"timestampMs":"\d+"/, '"timestampMs":"1"'), "timestamp"],
    [good.replace(/"timestampMs":"(\d+)"/, '"timestampMs":$1'), "timestamp"],
    [good.replace(`"${ORGANIZATION}"`, '""'), "organization"],
    [good.replace(`"${ORGANIZATION}"`, "5"), "organization"],
    [publicKey, "malformed"],
  ]) {
    const error = thrown("intent_refused", () => checkIntent(text, EMAIL));
    assert.equal(error.reason, reason, text);
    assert.ok(!/mallory|jane/.test(error.message));
    assert.deepEqual(error.details, reason === "type" ? { activityType: "ACTIVITY_TYPE_EXPORT_WALLET" } : undefined);
  }
});

test("a payload is of the time that it is judged by", () => {
  const now = 1_900_000_000_000;
  const made = (timestamp) => emailPayload({ timestampMs: String(timestamp) });
  const minute = 60_000;
  for (const [timestamp, isTimely] of [
    [now, true],
    [now - 15 * minute, true],
    [now - 15 * minute - 1, false],
    [now + 10 * minute, true],
    [now + 10 * minute + 1, false],
  ]) {
    const check = () => checkIntent(made(timestamp), EMAIL, { now });
    if (isTimely) assert.equal(check().organizationId, ORGANIZATION);
    else assert.equal(thrown("intent_refused", check).reason, "timestamp");
  }
  // The challenge's own time narrows that.
  const until = (time) => new Date(time).toISOString();
  for (const [timestamp, expiresAt, code, reason] of [
    [now - 5 * minute, now + minute, undefined],
    [now - 15 * minute - 1, now + minute, "intent_refused", "timestamp"],
    [now + 2, now + 1, "intent_refused", "timestamp"],
    [now + 1, now, "challenge_expired", undefined],
    [now - minute, now, "challenge_expired", undefined],
    [now + 10 * minute, now + 20 * minute, undefined],
    [now + 10 * minute + 1, now + 20 * minute, "clock_wrong", undefined],
  ]) {
    const check = () => checkIntent(made(timestamp), { ...EMAIL, expiresAt: until(expiresAt) }, { now });
    if (code) assert.equal(thrown(code, check).reason, reason);
    else assert.equal(check().organizationId, ORGANIZATION);
  }
});

test("what a page has done to prototypes changes no intent", async () => {
  const key = SessionKey.generate();
  const text = emailPayload();
  const added = { organizationId: "org_evil", allowBlindSigning: true, email: EMAIL.email, kind: "setEmail", toJSON: () => EMAIL };
  Object.assign(Object.prototype, added);
  try {
    await failure("invalid_argument", key.stamp(text, {}));
    await failure("invalid_argument", key.stamp(text, { kind: "setEmail" }));
    await failure("invalid_argument", key.stamp(text, { kind: "executeQuote" }));
  } finally {
    for (const name of Object.keys(added)) delete Object.prototype[name];
  }
  let stamping;
  Object.assign(Object.prototype, added);
  try {
    stamping = key.stamp(text, EMAIL);
  } finally {
    for (const name of Object.keys(added)) delete Object.prototype[name];
  }
  assertStamp(await stamping, text, key.publicKey);
});

test("an intent is read once: what is checked is what was said", async () => {
  const key = SessionKey.generate();
  let reads = 0;
  const intent = {
    kind: "setEmail",
    get email() {
      return reads++ === 0 ? EMAIL.email : "mallory@example.com";
    },
  };
  const text = emailPayload();
  assertStamp(await key.stamp(text, intent), text, key.publicKey);
  assert.equal(reads, 1);
  // Somebody else's code may free the key meanwhile, or ask it for more.
  const inner = [];
  const freeing = {
    kind: "setEmail",
    get email() {
      inner.push(key.stamp(text, EMAIL));
      key.free();
      return EMAIL.email;
    },
  };
  const { publicKey } = key;
  assertStamp(await key.stamp(text, freeing), text, publicKey);
  assertStamp(await inner[0], text, publicKey);
  await failure("used_after_free", key.stamp(text, EMAIL));
});

test("a key stamps no other key's verification token", async () => {
  const enclave = makeEnclave();
  const token = enclave.token({ organization_id: ORGANIZATION, verification_type: "OTP_TYPE_EMAIL", contact: "a@b.example", public_key: KEY, exp: String(Date.now() + 60_000) });
  const intent = { kind: "verifyOtp", publicKeyHex: KEY, quorumPublicKey: enclave.publicKey };
  assert.equal(checkIntent(token, intent).organizationId, ORGANIZATION);
  await failure("invalid_argument", SessionKey.generate().stamp(token, intent));
});
