// Grid's side of the tests: answers made here, and what a server would check of the requests.

import assert from "node:assert/strict";
import { ECDH, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";

import { SessionKey, createGridkey } from "../../pkg/node.js";

export const ACCOUNT_ID = "InternalAccount:1";
export const ORGANIZATION = "org_2m9F";

export const soon = (milliseconds = 300_000) => new Date(Date.now() + milliseconds).toISOString();

export const session = (milliseconds = 600_000) => ({
  id: "Session:1",
  accountId: ACCOUNT_ID,
  type: "EMAIL_OTP",
  nickname: "a@b.example",
  createdAt: soon(0),
  updatedAt: soon(0),
  expiresAt: soon(milliseconds),
});

export const authMethod = (type = "EMAIL_OTP", more) => ({
  id: "AuthMethod:2",
  accountId: ACCOUNT_ID,
  type,
  nickname: "a@b.example",
  createdAt: soon(0),
  updatedAt: soon(0),
  ...more,
});

const CURRENCY = { code: "USDC", decimals: 6 };

export const internalAccount = (more) => ({
  id: ACCOUNT_ID,
  customerId: "Customer:1",
  type: "EMBEDDED_WALLET",
  status: "ACTIVE",
  balance: { amount: 0, currency: CURRENCY },
  totalBalance: { amount: 0, currency: CURRENCY },
  privateEnabled: true,
  createdAt: soon(0),
  updatedAt: soon(0),
  ...more,
});

export const delegatedKey = (more) => ({
  id: "DelegatedKey:1",
  cardId: "Card:1",
  fundingSourceId: "CardFundingSource:1",
  accountId: ACCOUNT_ID,
  publicKey: "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
  nickname: "Card",
  status: "ACTIVE",
  createdAt: soon(0),
  updatedAt: soon(0),
  ...more,
});

export const quote = (payloadToSign, more) => ({
  id: "Quote:1",
  status: "PENDING",
  createdAt: soon(0),
  expiresAt: soon(),
  source: { sourceType: "ACCOUNT", accountId: ACCOUNT_ID },
  destination: { destinationType: "ACCOUNT", accountId: "ExternalAccount:1" },
  sendingCurrency: CURRENCY,
  receivingCurrency: { code: "USD", decimals: 2 },
  totalSendingAmount: 1000,
  totalReceivingAmount: 990,
  exchangeRate: 0.99,
  feesIncluded: 10,
  transactionId: "Transaction:1",
  paymentInstructions: [{ accountOrWalletInfo: { accountType: "EMBEDDED_WALLET", payloadToSign } }],
  ...more,
});

/** A payload as Turnkey has them. */
export const payload = (type, parameters, more) =>
  JSON.stringify({ organizationId: ORGANIZATION, parameters, timestampMs: String(Date.now()), type, ...more });

export const signWith = "sp1qwallet";
export const quotePayload = (more) =>
  payload("ACTIVITY_TYPE_SIGN_TRANSACTION_V2", { signWith, type: "TRANSACTION_TYPE_SPARK", unsignedTransaction: "0a0b" }, more);

/** A 202. */
export const challenge = (payloadToSign, more) => ({
  status: 202,
  body: { payloadToSign, requestId: "Request:1", expiresAt: soon(), ...more },
});

export const gridError = (status, code, more) => ({ status, body: { status, code, message: "m", details: {}, ...more } });

/** Fails unless `stamp` is a P-256 signature over `text` by this key: what Turnkey checks. */
export function assertStamp(stamp, text, publicKey) {
  const { publicKey: named, scheme, signature, ...more } = JSON.parse(Buffer.from(stamp, "base64url").toString());
  assert.deepEqual(more, {});
  assert.equal(scheme, "SIGNATURE_SCHEME_TK_API_P256");
  assert.equal(named, publicKey);
  const point = ECDH.convertKey(publicKey, "prime256v1", "hex", undefined, "uncompressed");
  const coordinate = (from) => point.subarray(from, from + 32).toString("base64url");
  const key = createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: coordinate(1), y: coordinate(33) } });
  const isOver = (message) => verify("sha256", Buffer.from(message), key, Buffer.from(signature, "hex"));
  assert.ok(isOver(text) && !isOver(`${text} `));
}

/**
 * A client and a session of it. `answer` gives the reply to each call; what it was asked is in
 * `calls`.
 */
export function signedIn(answer, options) {
  const calls = [];
  const client = createGridkey({
    transport: async (call) => {
      calls.push(call);
      return answer(call);
    },
    ...options,
  });
  const wallet = client.adoptSession(session(), SessionKey.generate());
  return { client, wallet, calls };
}

/**
 * As `signedIn`, where the first leg is answered with `challenged` and the second, whose stamp must
 * be good, with `done`.
 */
export function signing(challenged, done, options) {
  const legs = [challenged].flat();
  const signed = signedIn((call) => {
    const before = signed.calls.filter(({ stamp }) => stamp).length;
    if (call.stamp) {
      const { payloadToSign, requestId } = legs[before - 1].body;
      assertStamp(call.stamp, payloadToSign, signed.wallet.publicKey);
      assert.equal(call.requestId, requestId);
      assert.equal(call.body, signed.calls[0].body, "the body is the same on all legs");
      assert.equal(call.path, signed.calls[0].path);
    }
    return legs[before] ?? done;
  }, options);
  return signed;
}

const base64url = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");

/** An enclave of our own: what it signs is believed by whoever is told its public key. */
export function makeEnclave() {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = pair.publicKey.export({ format: "jwk" });
  const publicKey = `04${[x, y].map((part) => Buffer.from(part, "base64url").toString("hex")).join("")}`;
  return {
    publicKey,
    /** A signed envelope, as `otpEncryptionTargetBundle` is one. */
    bundle(json) {
      const data = Buffer.from(JSON.stringify(json));
      const dataSignature = sign("sha256", data, pair.privateKey).toString("hex");
      return JSON.stringify({ version: "v1.0.0", data: data.toString("hex"), dataSignature, enclaveQuorumPublic: publicKey });
    },
    /** A verification token: what is signed when a code was right. */
    token(claims) {
      const text = `${base64url({ alg: "ES256", typ: "JWT" })}.${base64url(claims)}`;
      return `${text}.${sign("sha256", Buffer.from(text), { key: pair.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
    },
  };
}

/** What an identity provider signs; its signature is for Grid to check. */
export function idToken(claims) {
  const seconds = Math.floor(Date.now() / 1000);
  const all = { iss: "https://id.example", sub: "1", aud: "client-1", iat: seconds, exp: seconds + 600, ...claims };
  return `${base64url({ alg: "RS256" })}.${base64url(all)}.c2ln`;
}
