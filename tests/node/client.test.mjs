// Layers 2 and 3 on the built package, with answers made here.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";

import { SealedKeyReceiver, SessionKey, createGridkey, init } from "../../pkg/node.js";
import { failure, thrown } from "./failure.mjs";
import { challenge, makeEnclave, payload, session as answered, signedIn } from "./grid.mjs";

const ACCOUNT = { accountId: "InternalAccount:1" };
/** A client and a session of it that can be refreshed. */
const refreshable = () =>
  signedIn(
    ({ stamp, body }) => {
      if (stamp) return { status: 201, body: { ...answered(900_000), id: "Session:2" } };
      return challenge(payload("ACTIVITY_TYPE_CREATE_READ_WRITE_SESSION_V2", { targetPublicKey: JSON.parse(body).clientPublicKey }));
    },
    { sessionKeys: "client-held" },
  );
const none = async () => ({ status: 200, body: { data: [] } });

function session(milliseconds = 60_000) {
  const now = new Date().toISOString();
  const expiresAt = new Date(Date.now() + milliseconds).toISOString();
  return { id: "Session:1", ...ACCOUNT, type: "EMAIL_OTP", nickname: "a@b.example", createdAt: now, updatedAt: now, expiresAt };
}

test("a client returns at once, and says what is wrong with its options when it is used", async () => {
  for (const options of [undefined, null, {}, { baseUrl: 5 }, { baseUrl: "/no/page" }]) {
    const client = createGridkey(options);
    assert.equal(client.state.status, "signedOut");
    await failure("invalid_argument", client.listAuthMethods(ACCOUNT));
    await failure("invalid_argument", client.api.listAuthSessions(ACCOUNT));
  }
  thrown("invalid_argument", () => createGridkey({ get baseUrl() { throw new Error("mine"); } }));
});

test("options are those of the moment, also those inside others", async () => {
  const { publicKey } = makeEnclave();
  const options = { transport: none, enclave: { dangerouslyTrust: { otp: publicKey, export: publicKey } } };
  const client = createGridkey(options);
  options.transport = undefined;
  options.enclave.dangerouslyTrust.otp = "another";
  assert.deepEqual(await client.listAuthMethods(ACCOUNT), []);
});

test("it speaks HTTP with the relay", async () => {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    requests.push({ method: request.method, url: request.url, headers: request.headers, body });
    response.writeHead(429, { "content-type": "application/json", "retry-after": "3" });
    response.end('{"status":429,"code":"RATE_LIMITED","message":"Slow down","details":{}}');
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const client = createGridkey({ baseUrl: `http://127.0.0.1:${server.address().port}/api/grid`, headers: { "x-platform": "1" } });
    const error = await failure("rate_limited", client.sendOtp({ authMethodId: "AuthMethod:1" }));
    assert.equal(error.retryAfterMs, 3000);
    assert.equal(error.recovery, "wait");
    assert.equal(requests.length, 1, "a challenge that sends a message is not repeated");
    const [{ method, url, headers, body }] = requests;
    assert.equal(`${method} ${url}`, "POST /api/grid/auth/credentials/AuthMethod%3A1/challenge");
    assert.equal(headers["x-platform"], "1");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(body, "{}");
  } finally {
    server.close();
  }
});

test("an answer's headers say how long to wait", async () => {
  const soon = new Date(Date.now() + 60_000).toUTCString();
  for (const [reply, expected] of [
    [{ headers: new Headers({ "Retry-After": "40" }) }, 40_000],
    [{ headers: { "retry-after": "40" } }, 40_000],
    [{ headers: { "Retry-After": " 40 " } }, 40_000],
    [{ headers: { "RETRY-AFTER": soon } }, 60_000],
    [{ headers: { "Retry-After": "40" }, retryAfterMs: 5000 }, 5000],
    [{ headers: Object.create({ "retry-after": "40" }) }, undefined],
    [{ headers: { "retry-after": ["40"], date: undefined } }, undefined],
    [{ headers: { get: "40" } }, undefined],
    [{ headers: undefined }, undefined],
  ]) {
    const body = { status: 429, code: "RATE_LIMITED", message: "m", details: {} };
    const client = createGridkey({ transport: async () => ({ status: 429, body, ...reply }) });
    const { retryAfterMs } = await failure("rate_limited", client.sendOtp({ authMethodId: "AuthMethod:1" }));
    const isIt = expected === undefined ? retryAfterMs === undefined : Math.abs(retryAfterMs - expected) < 2000;
    assert.ok(isIt, `${JSON.stringify(reply)}: ${retryAfterMs}`);
  }
  for (const headers of [null, 5, "Retry-After: 40"]) {
    const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] }, headers }) });
    await failure("relay_protocol", client.listAuthMethods(ACCOUNT));
  }
  // And what time it is: only then a wrong clock of this device is told from a late answer.
  const late = challenge("{}", { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  const date = new Date(Date.now() + 7_200_000).toUTCString();
  for (const [headers, code] of [[{ date }, "clock_wrong"], [{}, "intent_refused"]]) {
    const { wallet } = signedIn(() => ({ ...late, headers }));
    await failure(code, wallet.updateEmail({ customerId: "Customer:1", email: "b@c.example" }));
  }
});

test("a call ends by its signal or its time", async () => {
  const signals = [];
  const client = createGridkey({ transport: ({ signal }) => (signals.push(signal), new Promise(() => {})) });
  const alive = setInterval(() => {}, 1000);
  try {
    const controller = new AbortController();
    const call = client.listAuthMethods({ ...ACCOUNT, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    const error = await failure("aborted", call);
    assert.equal(error.cause, controller.signal.reason);
    await failure("timeout", client.listAuthMethods({ ...ACCOUNT, timeoutMs: 20 }));
    assert.ok(signals.length === 2 && signals.every(({ aborted }) => aborted));
  } finally {
    clearInterval(alive);
  }
});

test("a session is adopted with its key, and the listeners are told", async () => {
  await init();
  const states = [];
  const client = createGridkey({ transport: async () => ({ status: 404, body: { status: 404, code: "NOT_FOUND", message: "x", details: {} } }) });
  // As React takes it.
  const { subscribe } = client;
  const unsubscribe = subscribe(() => states.push(client.state));
  client.subscribe(() => {
    throw new Error("a listener of the page's");
  });
  const key = SessionKey.generate();
  const { publicKey } = key;
  const wallet = client.adoptSession(session(), key);
  thrown("used_after_free", () => key.publicKey);
  assert.equal(wallet.publicKey, publicKey);
  assert.equal(client.state, states[0]);
  assert.equal(client.state.status, "signedIn");
  assert.equal(client.state.session.publicKey, publicKey);
  assert.ok(client.state.session.expiresAt instanceof Date && Object.isFrozen(client.state.session));
  assert.equal(wallet.isActive, true);
  assert.deepEqual(await wallet.signOut(), { revokedAtGrid: true });
  assert.deepEqual(states.map(({ status, reason }) => [status, reason]), [["signedIn", undefined], ["signedOut", "signedOut"]]);
  unsubscribe();
  client.adoptSession(session(), SessionKey.generate()).free();
  assert.equal(states.length, 2);
  assert.equal(client.state.status, "signedOut");
  await failure("session_expired", wallet.refresh());
});

test("a session is adopted only with a key of its own", async () => {
  await init();
  const client = createGridkey({ transport: none });
  const prototype = Object.getPrototypeOf(SessionKey.generate());
  for (const key of [undefined, null, 5, {}, { __wbg_ptr: 8 }, prototype, Object.create(prototype), Object.create(SessionKey.generate()), SealedKeyReceiver.generate(), SessionKey]) {
    thrown("invalid_argument", () => client.adoptSession(session(), key));
  }
  const key = SessionKey.generate();
  thrown("invalid_argument", () => client.adoptSession({}, key));
  thrown("session_expired", () => client.adoptSession(session(1000), key));
  const wallet = client.adoptSession(session(), key);
  for (const used of [
    () => key.publicKey,
    () => key.publicKeyUncompressed,
    () => key.dangerouslyExportPrivateKey(),
    () => key.sealOtpCode("{}", "1"),
    () => client.adoptSession(session(), key),
  ]) {
    assert.equal(thrown("used_after_free", used).recovery, "integrator");
  }
  await failure("used_after_free", key.dangerouslyStampUnchecked("x"));
  const freed = SessionKey.generate();
  freed.free();
  thrown("used_after_free", () => client.adoptSession(session(), freed));
  assert.ok(wallet.isActive);
});

test("a key may be handed over in the middle of its own method", async () => {
  await init();
  const client = createGridkey({ transport: none });
  const handOver = (key) => client.adoptSession(session(), key);
  const key = SessionKey.generate();
  const { publicKey } = key;
  let wallet;
  const error = thrown("used_after_free", () =>
    key.sealOtpCode("{}", "1", {
      get enclaveKey() {
        wallet = handOver(key);
        thrown("used_after_free", () => handOver(key));
        return undefined;
      },
    }),
  );
  assert.equal(error.recovery, "integrator");
  assert.equal(wallet.publicKey, publicKey);
  assert.ok(wallet.isActive);
  key.free();
  assert.ok(wallet.isActive);

  // By a listener that is told of the session while it is made.
  const listening = createGridkey({ transport: none });
  const other = SessionKey.generate();
  listening.subscribe(() => {
    thrown("used_after_free", () => handOver(other));
    other.free();
  });
  assert.ok(listening.adoptSession(session(), other).isActive);

  // By a page's own source of randomness, while it is in use.
  const enclave = makeEnclave();
  const bundle = enclave.bundle({ targetPublic: makeEnclave().publicKey });
  const third = SessionKey.generate();
  const { getRandomValues } = crypto;
  let asked = 0;
  crypto.getRandomValues = (bytes) => {
    asked++;
    thrown("used_after_free", () => handOver(third));
    return getRandomValues.call(crypto, bytes);
  };
  try {
    third.sealOtpCode(bundle, "1", { enclaveKey: enclave.publicKey });
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
  assert.ok(asked > 0);
  assert.ok(handOver(third).isActive);
  assert.ok(wallet.isActive, "the instance goes on");
});

test("what was freed says so", async () => {
  await init();
  const client = createGridkey({ transport: none });
  const wallet = client.adoptSession(session(), SessionKey.generate());
  client.free();
  client.free();
  await failure("used_after_free", client.listAuthMethods(ACCOUNT));
  await failure("used_after_free", client.api.listAuthSessions(ACCOUNT));
  thrown("used_after_free", () => client.adoptSession(session(), SessionKey.generate()));
  const unused = createGridkey({ transport: none });
  unused.free();
  await failure("used_after_free", unused.listAuthMethods(ACCOUNT));
  assert.equal(wallet.isActive, true, "its sessions go on");
  if (Symbol.dispose) wallet[Symbol.dispose]();
  assert.equal(wallet.isActive, false);
  thrown("used_after_free", () => wallet.publicKey);
  await failure("used_after_free", wallet.refresh());
});

const FACTS = ["id", "authMethodId", "accountId", "type", "nickname", "createdAt", "expiresAt"];
const factsOf = (wallet) => Object.fromEntries(FACTS.map((name) => [name, wallet[name]]));

test("what is plain of a session can be read whatever became of it, as it was last", async () => {
  const { client, wallet } = refreshable();
  const first = factsOf(wallet);
  assert.deepEqual([first.id, first.type, first.authMethodId], ["Session:1", "EMAIL_OTP", undefined]);
  await wallet.refresh();
  // Nobody has read them since.
  wallet.free();
  const last = factsOf(wallet);
  assert.equal(last.id, "Session:2");
  assert.ok(last.expiresAt instanceof Date && last.expiresAt > first.expiresAt);
  assert.equal(wallet.isActive, false);
  thrown("used_after_free", () => wallet.publicKey);

  // Nor has a client been told of it.
  const left = refreshable();
  left.client.free();
  await left.wallet.refresh();
  left.wallet.free();
  assert.equal(left.wallet.id, "Session:2");

  const signedOut = client.adoptSession(session(), SessionKey.generate());
  await signedOut.signOut();
  assert.equal(factsOf(signedOut).nickname, "a@b.example");
  // Of nothing else.
  const signIn = await client.prepareOAuth({ authMethodId: "AuthMethod:1" });
  assert.equal(signIn.authMethodId, "AuthMethod:1");
  signIn.free();
  thrown("used_after_free", () => signIn.authMethodId);
});

test("a client's session is the one that its state speaks of, at every moment", async () => {
  const { client, wallet } = refreshable();
  assert.equal(client.session, wallet);
  const seen = [];
  client.subscribe(() => seen.push([client.state.session?.id, client.session?.id, client.session]));
  await wallet.refresh();
  assert.deepEqual(seen.splice(0), [["Session:2", "Session:2", wallet]]);

  // The same session once more, with another key.
  const again = client.adoptSession({ ...session(), id: "Session:2" }, SessionKey.generate());
  assert.equal(client.session, again);
  assert.equal(client.state.session.publicKey, again.publicKey);
  assert.deepEqual(seen.splice(0), [["Session:2", "Session:2", again]]);
  const other = client.adoptSession({ ...session(), id: "Session:3" }, SessionKey.generate());
  wallet.free();
  assert.deepEqual(seen.splice(0), [["Session:3", "Session:3", other]]);
  assert.equal(client.session, other);
  other.free();
  assert.deepEqual(seen, [[undefined, undefined, undefined]]);
  assert.equal(client.session, undefined);

  client.adoptSession(session(), SessionKey.generate());
  client.free();
  assert.equal(client.session, undefined);
});

test("an older session that is refreshed is the client's again", async () => {
  const { client, wallet } = refreshable();
  const other = client.adoptSession({ ...session(), id: "Session:3" }, SessionKey.generate());
  assert.equal(client.session, other);
  await wallet.refresh();
  assert.deepEqual([client.session, client.state.session.id], [wallet, "Session:2"]);
});

test("an object may be freed while it is at work", async () => {
  await init();
  let answer;
  const client = createGridkey({ transport: () => new Promise((resolve) => (answer = resolve)) });
  const wallet = client.adoptSession(session(), SessionKey.generate());
  const signingOut = wallet.signOut();
  wallet.free();
  await new Promise((soon) => setTimeout(soon, 10));
  answer({ status: 404, body: { status: 404, code: "NOT_FOUND", message: "x", details: {} } });
  assert.deepEqual(await signingOut, { revokedAtGrid: true });
});

test("somebody else's code may do anything while it is called", async () => {
  await init();
  const client = createGridkey({ transport: none });
  const key = SessionKey.generate();
  // Freed in the middle of its own method.
  const error = thrown("bundle_malformed", () =>
    key.sealOtpCode("{}", "1", {
      get enclaveKey() {
        key.free();
        assert.throws(() => key.publicKey, { code: "used_after_free" });
        SessionKey.generate().free();
        client.adoptSession(session(), SessionKey.generate()).free();
        return undefined;
      },
    }),
  );
  assert.equal(error.recovery, "integrator");
  const listening = createGridkey({ transport: none });
  listening.subscribe(() => listening.free());
  const wallet = listening.adoptSession(session(), SessionKey.generate());
  assert.equal(wallet.isActive, true);
  assert.deepEqual(await client.listAuthMethods(ACCOUNT), []);
});
