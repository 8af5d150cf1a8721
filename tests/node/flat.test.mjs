// One instance of the WebAssembly, used for long: it takes no more room at the end than at the
// beginning, and nor does JavaScript beside it. Sign-ins and sessions against a test Grid, keys,
// stamps and bundles on their own, refusals, failures, timeouts and aborts; half of the objects are
// freed, and half of them dropped.
//
// `FLAT_OPERATIONS` says for how long.

import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { failure, thrown } from "./failure.mjs";
import { ORGANIZATION, makeEnclave, payload } from "./grid.mjs";
import { bytes, vectors } from "./vectors.mjs";

// Sees the instance, as a script of the page can.
let memory;
let table;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  for (const value of Object.values(instance.exports)) {
    if (value instanceof WebAssembly.Memory) memory = value;
    if (value instanceof WebAssembly.Table) table = value;
  }
  return instance;
};

const { SealedKeyReceiver, SessionKey, WalletExportKey, checkIntent, createGridkey, init } = await import("../../pkg/node.js");
const { createTestAuthenticator, createTestClock, createTestGrid } = await import("../../pkg/testing/index.js");

const OPERATIONS = Number(process.env.FLAT_OPERATIONS ?? 1000);
/** Until every table and cache has its size. */
const WARM_UP = OPERATIONS / 3;
/** What the heap differs by from one collection to the next, with room. */
const NOISE = 1024 * 1024;

// As `--expose-gc`, which a test's file cannot ask for.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const later = setTimeout;
const alive = setInterval(() => {}, 1000);
before(() => init());

// The timer of a session, or of what was fetched ahead, is set until its time is over, whatever has
// become of that: it must pass.
const clock = createTestClock();
after(() => {
  clock.restore();
  clearInterval(alive);
});

async function settle() {
  // What finalizers free is collected in the next round; and what is held yet sets its timer anew.
  for (let round = 0; round < 3; round++) {
    for (let time = 0; time < 2; time++) {
      collect();
      await new Promise((resolve) => later(resolve, 5));
    }
    await clock.advance(16 * 60 * 1000);
  }
}

const authenticator = createTestAuthenticator();
after(() => authenticator.restore());

const enclave = makeEnclave();
const sealedKey = vectors("turnkey_credential_bundle").tests[0];
const [walletExport] = vectors("turnkey_export_bundle").tests;
const SET_EMAIL = { kind: "setEmail", email: "jane@example.com" };
const emailPayload = () => payload("ACTIVITY_TYPE_UPDATE_USER_EMAIL", { userEmail: SET_EMAIL.email, userId: "user_1" });
const OTHER = payload("ACTIVITY_TYPE_DELETE_WALLETS", { walletIds: ["w"] });

/** A Grid with everything that signs in, and a client of it. */
async function world() {
  const grid = await createTestGrid();
  const passkey = await grid.addPasskey({ authenticator });
  const email = grid.addEmailOtp();
  const oauth = grid.addOAuth();
  const client = (sessionKeys) => createGridkey({ transport: grid.transport, enclave: grid.enclave, sessionKeys });
  return { grid, passkey, email, oauth, client, clients: [client("sealed"), client("client-held")] };
}

/** Each is one operation; `it` is a world, `client` one of its clients, and `free` what to do with an object that is no longer needed. */
const KINDS = {
  async key({ free }) {
    const key = SessionKey.generate();
    await key.stamp(emailPayload(), SET_EMAIL);
    free(key);
  },
  async "refused stamp"({ free }) {
    const key = SessionKey.generate();
    await failure("intent_refused", key.stamp(OTHER, SET_EMAIL));
    await failure("invalid_argument", key.stamp(emailPayload(), { kind: "constructor" }));
    free(key);
  },
  "sealed code"({ free }) {
    const key = SessionKey.generate();
    const bundle = enclave.bundle({ targetPublic: SessionKey.generate().publicKeyUncompressed });
    key.sealOtpCode(bundle, "123456", { enclaveKey: enclave.publicKey });
    thrown("bundle_untrusted", () => key.sealOtpCode(bundle, "123456"));
    free(key);
  },
  "opened key"({ free }) {
    const receiver = SealedKeyReceiver.dangerouslyFromPrivateKey(bytes(sealedKey.receiverPrivateKey));
    free(receiver.open(sealedKey.bundle));
    free(receiver);
  },
  "unopened key"({ free }) {
    const receiver = SealedKeyReceiver.generate();
    thrown("decrypt_failed", () => receiver.open(sealedKey.bundle));
    thrown("bundle_malformed", () => receiver.open(sealedKey.bundle.slice(1)));
    free(receiver);
  },
  export({ free }) {
    const key = WalletExportKey.dangerouslyFromPrivateKey(bytes(walletExport.privateKey));
    thrown("bundle_untrusted", () => key.open(walletExport.exportBundle, { organizationId: "another" }));
    key.open(walletExport.exportBundle, { organizationId: walletExport.organizationId });
    free(key);
  },
  "checked intent"() {
    checkIntent(emailPayload(), { ...SET_EMAIL, organizationId: ORGANIZATION });
    thrown("intent_refused", () => checkIntent(OTHER, SET_EMAIL));
    thrown("invalid_argument", () => checkIntent("\ud800", SET_EMAIL));
  },
  async "list"({ it, client }) {
    await client.listAuthMethods({ accountId: it.grid.accountId });
    await client.api.listAuthSessions({ accountId: it.grid.accountId }, { timeoutMs: 60_000 });
  },
  async "code"({ it, client, free }) {
    const otp = await client.sendOtp({ authMethodId: it.email.id });
    await failure("otp_rejected", otp.submit("999999"));
    await otp.resend();
    const session = await otp.submit(it.grid.lastCode);
    await session.refresh({ revokeOld: true });
    await session.signOut();
    await failure("session_expired", session.refresh());
    free(otp);
    free(session);
  },
  async "passkey"({ it, client, free }) {
    const signIn = await client.preparePasskey({ authMethodId: it.passkey.id });
    const session = await signIn.confirm();
    free(signIn);
    // Ends the session as well.
    session.free();
  },
  async "passkey that is not used"({ it, client, free }) {
    const signIn = await client.preparePasskey({ authMethodId: it.passkey.id });
    authenticator.cancelNext();
    await failure("passkey_not_used", signIn.confirm());
    free(signIn);
  },
  async "identity provider"({ it, client, free }) {
    const signIn = await client.prepareOAuth({ authMethodId: it.oauth.id });
    const session = await signIn.submit(await it.grid.idToken({ nonce: signIn.nonce }));
    await session.exportMnemonic({ organizationId: it.grid.organizationId });
    await session.signOut();
    free(signIn);
    free(session);
  },
  async "failures"({ it, client }) {
    it.grid.failNext("challengeAuthCredential", "network");
    await failure("network", client.sendOtp({ authMethodId: it.email.id }));
    it.grid.failNext("challengeAuthCredential", { status: 502 });
    await failure("relay_protocol", client.sendOtp({ authMethodId: it.email.id }));
  },
  async "timeout"({ it, client }) {
    it.grid.failNext("listAuthCredentials", "hang");
    const { timers } = clock;
    const called = failure("timeout", client.listAuthMethods({ accountId: it.grid.accountId, timeoutMs: 1000 }));
    while (clock.timers === timers) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1000);
    await called;
  },
  async "abort"({ it, client }) {
    it.grid.failNext("listAuthCredentials", "hang");
    const controller = new AbortController();
    const called = client.listAuthMethods({ accountId: it.grid.accountId, signal: controller.signal });
    setImmediate(() => controller.abort());
    await failure("aborted", called);
  },
  async "client"({ it, free }) {
    const client = it.client("client-held");
    const session = await client.signInWithPasskey({ authMethodId: it.passkey.id });
    assert.equal(client.session, session);
    // Who listens keeps it.
    const stop = client.subscribe(() => {});
    if (free.isCalled) client.free();
    else stop();
  },
};

/** A number of operations; what was dropped in them is collected from time to time. */
async function run(times) {
  const kinds = Object.values(KINDS);
  let it = await world();
  for (let time = 0; time < times; time++) {
    // The test Grid remembers every call and every session.
    if (time % 400 === 399) it = await world();
    const isFreed = Math.floor(time / kinds.length) % 2 === 0;
    const free = (object) => isFreed && object.free();
    free.isCalled = isFreed;
    const client = it.clients[Math.floor(time / kinds.length / 2) % 2];
    await kinds[time % kinds.length]({ it, client, free });
    if (time % 250 === 249) await settle();
  }
}

const KB = (number) => Math.round(number / 1024);

test(`${OPERATIONS} operations leave an instance as it was`, async () => {
  await run(WARM_UP);
  await settle();
  assert.equal(clock.timers, 0, "something is held that sets its timer anew");
  const before = { memory: memory.buffer.byteLength, table: table.length, heap: process.memoryUsage().heapUsed };
  await run(OPERATIONS - WARM_UP);
  await settle();
  assert.equal(clock.timers, 0, "something is held that sets its timer anew");
  const now = { memory: memory.buffer.byteLength, table: table.length, heap: process.memoryUsage().heapUsed };
  console.log(
    `soak: ${OPERATIONS} operations: WebAssembly ${KB(before.memory)} KB, then ${KB(now.memory)}; its table ${before.table}, then ${now.table}; ` +
      `JavaScript ${KB(before.heap)} KB, then ${KB(now.heap)}`,
  );
  assert.equal(now.memory, before.memory, "the WebAssembly's memory grew");
  assert.equal(now.table, before.table, "the WebAssembly holds more of JavaScript");
  assert.ok(now.heap - before.heap < NOISE, "JavaScript's heap grew");
});

test("what nobody holds any more is collected: clients, signed in or not, with their sessions and keys", async () => {
  const it = await world();
  const dropped = [];
  for (let time = 0; time < 50; time++) {
    const client = it.client("client-held");
    dropped.push(new WeakRef(client));
    if (time % 2) await client.listAuthMethods({ accountId: it.grid.accountId });
    else dropped.push(new WeakRef(await client.signInWithPasskey({ authMethodId: it.passkey.id })));
  }
  await settle();
  const held = dropped.filter((reference) => reference.deref());
  // The last may still be on the stack.
  assert.ok(held.length <= 2, `${held.length} of ${dropped.length} are held`);
});

test("a client that somebody listens to is kept until nobody does", async () => {
  const it = await world();
  const listening = (listener) => {
    const client = it.client("client-held");
    return { stop: client.subscribe(listener), reference: new WeakRef(client), signingIn: client.signInWithPasskey({ authMethodId: it.passkey.id }) };
  };
  let told = 0;
  const { signingIn } = listening(() => told++);
  const session = await signingIn;
  assert.equal(told, 1);
  await settle();
  await session.signOut();
  assert.equal(told, 2);

  let other = listening(() => {});
  await other.signingIn;
  const { reference } = other;
  other.stop();
  other = undefined;
  await settle();
  assert.equal(reference.deref(), undefined);
});
