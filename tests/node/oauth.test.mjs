// Signing in with an identity provider, through the built package, without a browser's storage.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { before } from "node:test";

import { OAuthSignIn, SessionKey, createGridkey, init } from "../../pkg/node.js";
import { failure } from "./failure.mjs";
import { ORGANIZATION, assertStamp, gridError, idToken, payload, session } from "./grid.mjs";

before(() => init());

const ID = { authMethodId: "AuthMethod:1" };

/** A client of client-held sessions, and what it sent. */
function made(answer, options) {
  const calls = [];
  const transport = async (call) => (calls.push(call), answer(call));
  return { client: createGridkey({ transport, sessionKeys: "client-held", ...options }), calls };
}

test("a token with the nonce of this sign-in opens a session of its key", async () => {
  const { client, calls } = made(() => ({ status: 200, body: { ...session(), type: "OAUTH" } }));
  const signIn = await client.prepareOAuth({ ...ID, clientId: "client-1" });
  assert.ok(signIn instanceof OAuthSignIn);
  assert.equal(signIn.authMethodId, ID.authMethodId);
  assert.match(signIn.clientPublicKey, /^0[23][0-9a-f]{64}$/);
  assert.equal(signIn.nonce, createHash("sha256").update(signIn.clientPublicKey).digest("hex"));
  assert.equal(signIn.state, undefined);
  assert.equal(calls.length, 0);

  const { nonce } = signIn;
  for (const [claims, reason] of [
    [{}, "nonce"],
    [{ nonce: `${nonce.slice(1)}x` }, "nonce"],
    [{ nonce: nonce.replace(/[a-f]/, (digit) => digit.toUpperCase()) }, "nonce"],
    [{ nonce, aud: "client-2" }, "audience"],
    [{ nonce, aud: [] }, "malformed"],
    [{ nonce, iat: Math.floor(Date.now() / 1000) - 3600 }, "freshness"],
    [{ nonce, iss: "" }, "malformed"],
  ]) {
    const error = await failure("oauth_rejected", signIn.submit(idToken(claims)));
    assert.equal(error.reason, reason, JSON.stringify(claims));
    assert.equal(error.recovery === "integrator", ["audience", "malformed"].includes(reason));
  }
  for (const token of [undefined, 5, "x".repeat(20_000), "\ud800"]) await failure("invalid_argument", signIn.submit(token));
  await failure("aborted", signIn.submit(idToken({ nonce }), { signal: AbortSignal.abort() }));
  assert.equal(calls.length, 0, "what cannot be accepted is not sent");

  const token = idToken({ nonce, aud: ["client-0", "client-1"] });
  const shown = [];
  client.subscribe(() => shown.push([client.state.status, client.session?.publicKey, client.session]));
  const wallet = await signIn.submit(token);
  assert.deepEqual(shown, [["signedIn", signIn.clientPublicKey, wallet]]);
  const [{ path, body, stamp, requestId }] = calls;
  assert.equal(path, "/auth/credentials/AuthMethod%3A1/verify");
  assert.deepEqual(JSON.parse(body), { type: "OAUTH", oidcToken: token, clientPublicKey: signIn.clientPublicKey });
  assert.deepEqual([stamp, requestId], [undefined, undefined]);
  assert.deepEqual([wallet.publicKey, wallet.type, wallet.authMethodId], [signIn.clientPublicKey, "OAUTH", ID.authMethodId]);
  const text = payload("ACTIVITY_TYPE_DELETE_API_KEYS", { apiKeyIds: ["1"], userId: "1" });
  assertStamp(await wallet.stamp(text, { kind: "revokeSession" }), text, signIn.clientPublicKey);
  // One key, one session.
  await failure("invalid_argument", signIn.submit(token));
});

test("a refused token may be followed by another one", async () => {
  let reply = gridError(401, "UNAUTHORIZED");
  const { client, calls } = made(() => reply);
  const signIn = await client.prepareOAuth(ID);
  const error = await failure("oauth_rejected", signIn.submit(idToken({ nonce: signIn.nonce })));
  assert.deepEqual([error.status, error.operation], [401, "verifyAuthCredential"]);
  for (const wrong of [{ ...session(), type: "PASSKEY" }, { ...session(), type: "OAUTH", expiresAt: "soon" }]) {
    reply = { status: 200, body: wrong };
    await failure("relay_protocol", signIn.submit(idToken({ nonce: signIn.nonce })));
  }
  reply = { status: 200, body: { ...session(), type: "OAUTH" } };
  assert.ok((await signIn.submit(idToken({ nonce: signIn.nonce }))).isActive);
  assert.equal(new Set(calls.map(({ body }) => JSON.parse(body).clientPublicKey)).size, 1);
});

test("a sealed session is opened with a key of the other form", async () => {
  const { client } = made(() => gridError(500, "INTERNAL_ERROR"), { sessionKeys: "sealed" });
  const signIn = await client.prepareOAuth(ID);
  assert.match(signIn.clientPublicKey, /^04[0-9a-f]{128}$/);
  assert.equal(signIn.nonce, createHash("sha256").update(signIn.clientPublicKey).digest("hex"));
});

test("without a browser's storage nobody is sent away", async () => {
  const { client, calls } = made(() => assert.fail());
  const error = await failure("storage_unavailable", client.prepareOAuth({ ...ID, redirect: true }));
  assert.equal(error.recovery, "other_method");
  assert.match(error.message, /IndexedDB/);
  const state = { ...ID, clientPublicKey: SessionKey.generate().publicKey };
  assert.equal((await failure("storage_unavailable", client.resumeOAuth(state))).recovery, "other_method");
  for (const wrong of [undefined, null, {}, { ...state, clientPublicKey: "02" }, { ...state, clientPublicKey: 5 }, { ...state, authMethodId: "Quote:1" }, { ...state, clientId: "" }, Object.create(state)]) {
    await failure("invalid_argument", client.resumeOAuth(wrong));
  }
  for (const wrong of [undefined, {}, { authMethodId: 5 }, { authMethodId: "Session:1" }, { ...ID, clientId: 5 }, { ...ID, clientId: "" }, { ...ID, redirect: "true" }, { ...ID, redirect: null }, { ...ID, timeoutMs: 0 }]) {
    await failure("invalid_argument", client.prepareOAuth(wrong));
  }
  await failure("aborted", client.prepareOAuth({ ...ID, signal: AbortSignal.abort() }));
  assert.equal(calls.length, 0);
});

test("organizations are the platform's, and are forgotten by their account's id", async () => {
  for (const organizations of [null, 5, "x", [], ["x"], { "InternalAccount:1": 5 }, { "InternalAccount:1": "" }, { "InternalAccount:1": null }, new Map([["InternalAccount:1", "x"]])]) {
    const { client } = made(() => assert.fail(), { organizations });
    const error = await failure("invalid_argument", client.listAuthMethods({ accountId: "InternalAccount:1" }));
    assert.match(error.message, /`options\.organizations`/);
  }
  const { client } = made(() => assert.fail(), { organizations: { "InternalAccount:1": ORGANIZATION } });
  const wallet = client.adoptSession(session(), SessionKey.generate());
  const intent = { kind: "revokeSession" };
  const of = (organizationId) => payload("ACTIVITY_TYPE_DELETE_API_KEYS", { apiKeyIds: ["1"], userId: "1" }, { organizationId });
  const text = of(ORGANIZATION);
  assertStamp(await wallet.stamp(text, intent), text, wallet.publicKey);
  assert.equal((await failure("intent_refused", wallet.stamp(of("org_evil"), intent))).reason, "organization");
  // What the platform knows is not forgotten.
  assert.equal(await client.forgetOrganization("InternalAccount:1"), undefined);
  assert.equal((await failure("intent_refused", wallet.stamp(of("org_evil"), intent))).reason, "organization");
  for (const id of [undefined, null, 5, "", "Session:1", "x".repeat(600), ["InternalAccount:1"]]) {
    await failure("invalid_argument", client.forgetOrganization(id));
  }
  client.free();
  await failure("used_after_free", client.forgetOrganization("InternalAccount:1"));
  await failure("used_after_free", client.prepareOAuth(ID));
});
