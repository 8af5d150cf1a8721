// An instance that stops: by a page that breaks what the WebAssembly calls, and by a stack that is
// used up. Neither may take more with it than what was under way.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { before } from "node:test";

// Sees every instance of the WebAssembly, as a script of the page can.
const memories = [];
const { instantiate, Instance } = WebAssembly;
const see = ({ exports }) => {
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  // The loader starts an empty one too, to see whether it may.
  if (memory) memories.push(memory);
};
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  see(instance);
  return instance;
};
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  see(instance);
  return instance;
};

const { SessionKey, createGridkey, init, oauthNonce } = await import("../../pkg/node.js");
const { failure, thrown } = await import("./failure.mjs");

const ACCOUNT = { accountId: "InternalAccount:1" };
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index + 1);

function session() {
  const now = new Date().toISOString();
  const expiresAt = new Date(Date.now() + 600_000).toISOString();
  return { id: "Session:1", ...ACCOUNT, type: "EMAIL_OTP", nickname: "a", createdAt: now, updatedAt: now, expiresAt };
}

/** Whether a key stands in a memory, as bytes or as the limbs of a number. */
function holds(memory, secret) {
  const hay = Buffer.from(memory.buffer);
  return hay.includes(Buffer.from(secret)) || hay.includes(Buffer.from(secret).reverse());
}

const isWiped = ({ buffer }) => Buffer.from(buffer).equals(Buffer.alloc(buffer.byteLength));

/** Runs while a global function of the page throws. */
async function whileThrowing(object, name, run) {
  const real = object[name];
  object[name] = () => {
    throw new Error("broken by the page");
  };
  try {
    return await run();
  } finally {
    object[name] = real;
  }
}

before(() => init());

test("a fault in a method loses the instance, and a fresh one is there at once", async () => {
  const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
  const states = [];
  client.subscribe(() => states.push([client.state.status, client.state.reason, client.session]));
  const key = SessionKey.dangerouslyFromPrivateKey(SECRET);
  const wallet = client.adoptSession(session(), SessionKey.dangerouslyFromPrivateKey(SECRET));
  const [memory] = memories.slice(-1);
  assert.ok(holds(memory, SECRET));

  const error = await whileThrowing(Date, "now", () => thrown("instance_lost", () => wallet.isActive));
  assert.equal(error.recovery, "retry");
  assert.equal(error.cause.message, "broken by the page");
  assert.deepEqual(states, [["signedIn", undefined, wallet], ["signedOut", "lost", undefined]]);

  assert.equal(memories.length, 1, "a fresh one is made when it is asked for");
  assert.deepEqual([wallet.id, wallet.nickname, wallet.isActive], ["Session:1", "a", false]);
  thrown("instance_lost", () => wallet.publicKey);
  thrown("instance_lost", () => key.publicKey);
  await failure("instance_lost", key.dangerouslyStampUnchecked("x"));
  await failure("instance_lost", wallet.refresh());
  key.free();
  wallet.free();
  assert.ok(isWiped(memory), "nothing is left in its memory");

  // The client itself goes on, and so does everything new.
  assert.deepEqual(await client.listAuthMethods(ACCOUNT), []);
  const fresh = client.adoptSession(session(), SessionKey.generate());
  assert.ok(fresh.isActive && fresh instanceof wallet.constructor === false && states.at(-1)[0] === "signedIn");
  fresh.free();
  assert.equal(memories.length, 2);
});

test("what gives a promise rejects, whatever has become of the instance", async () => {
  const types = await readFile(new URL("../../pkg/wasm/gridkey.d.ts", import.meta.url), "utf8");
  const [, body] = types.match(/^export class WalletSession \{\n([^]*?)\n\}/m);
  const methods = [...body.matchAll(/^ {4}(\w+)\(.*\): Promise</gm)].map(([, name]) => name);
  assert.ok(methods.includes("signOut") && methods.length > 15);
  const client = createGridkey({ transport: () => new Promise(() => {}) });
  const asked = (wallet, method, ...args) => {
    const promise = wallet[method](...args);
    assert.ok(promise instanceof Promise, method);
    return promise;
  };
  const freed = client.adoptSession(session(), SessionKey.generate());
  freed.free();
  for (const method of methods) await failure("used_after_free", asked(freed, method));

  // In the call that loses it, and in all that come after.
  const wallet = client.adoptSession(session(), SessionKey.generate());
  const losing = {
    get signal() {
      thrown("instance_lost", () => wallet.isActive);
      return undefined;
    },
  };
  await whileThrowing(Date, "now", () => failure("instance_lost", asked(wallet, "signOut", losing)));
  for (const method of methods) await failure("instance_lost", asked(wallet, method));
});

test("what waits for a lost instance fails, and what comes too late does no harm", async () => {
  const problems = [];
  const seen = (problem) => problems.push(problem);
  process.on("uncaughtException", seen);
  process.on("unhandledRejection", seen);
  let answer;
  const client = createGridkey({ transport: () => new Promise((resolve) => (answer = resolve)), timeoutMs: 200 });
  const waiting = client.listAuthMethods(ACCOUNT);
  waiting.catch(() => {});
  await new Promise((soon) => setTimeout(soon, 20));
  const wallet = client.adoptSession(session(), SessionKey.generate());
  await whileThrowing(Date, "now", () => thrown("instance_lost", () => wallet.isActive));
  await failure("instance_lost", waiting);
  // Its transport answers, and its timer would have gone off.
  answer({ status: 200, body: { data: [] } });
  await new Promise((soon) => setTimeout(soon, 300));
  assert.deepEqual(problems, []);
  process.off("uncaughtException", seen);
  process.off("unhandledRejection", seen);
});

test("a fault in the background reaches the call that waits, and nobody else", async () => {
  const problems = [];
  const seen = (problem) => problems.push(problem);
  process.on("uncaughtException", seen);
  process.on("unhandledRejection", seen);
  const client = createGridkey({ transport: () => new Promise(() => {}) });
  await client.listAuthMethods({ ...ACCOUNT, timeoutMs: 1 }).catch(() => {});
  const error = await whileThrowing(globalThis, "clearTimeout", () =>
    failure("instance_lost", client.listAuthMethods({ ...ACCOUNT, timeoutMs: 5 })),
  );
  assert.equal(error.cause.message, "broken by the page");
  assert.deepEqual(problems, []);
  await failure("timeout", client.listAuthMethods({ ...ACCOUNT, timeoutMs: 5 }));
  process.off("uncaughtException", seen);
  process.off("unhandledRejection", seen);
});

test("frames below a fault do not go on", async () => {
  const client = createGridkey({ transport() {} });
  const wallet = client.adoptSession(session(), SessionKey.generate());
  const key = SessionKey.generate();
  let reads = 0;
  await whileThrowing(Date, "now", () => {
    // The fault happens inside a trap that swallows it, in the middle of another method.
    const options = new Proxy({}, {
      getOwnPropertyDescriptor() {
        reads++;
        if (reads === 1) thrown("instance_lost", () => wallet.isActive);
        return undefined;
      },
    });
    thrown("instance_lost", () => key.sealOtpCode("{}", "1", options));
  });
  assert.equal(reads, 1);
  SessionKey.generate().free();
});

test("a stack that is used up may lose the instance, but nothing after it", () => {
  const { publicKey } = SessionKey.generate();
  const nonce = oauthNonce(publicKey);
  const before = memories.length;
  let lost = 0;
  for (let attempt = 0; attempt < 40; attempt++) {
    const outcomes = [];
    const dive = (...padding) => {
      try {
        dive(...padding);
      } finally {
        // On the way back up there is a little more of the stack at each step.
        if (outcomes.length < 300) outcomes.push(outcome(() => oauthNonce(publicKey)));
      }
    };
    assert.throws(() => dive(...Array(attempt)), RangeError);
    for (const result of outcomes) {
      assert.ok(result === nonce || result instanceof RangeError || result.code === "instance_lost", String(result));
      if (result.code === "instance_lost") lost++;
    }
    assert.equal(outcomes.at(-1), nonce, "in the end there was enough");
    assert.equal(oauthNonce(publicKey), nonce);
  }
  assert.ok(lost > 0 && memories.length > before, "it was tried in earnest");
  for (const memory of memories.slice(0, -1)) assert.ok(isWiped(memory));
});

function outcome(run) {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

test("a freed key leaves nothing in the memory", async () => {
  const [memory] = memories.slice(-1);
  const secret = crypto.getRandomValues(new Uint8Array(32));
  secret[0] &= 0x7f;
  const key = SessionKey.dangerouslyFromPrivateKey(secret);
  for (let round = 0; round < 100; round++) await key.dangerouslyStampUnchecked(`round ${round}`);
  assert.deepEqual(key.dangerouslyExportPrivateKey(), secret);
  const known = { bytes: Buffer.from(memory.buffer).includes(Buffer.from(secret)), hex: Buffer.from(memory.buffer).includes(Buffer.from(secret).toString("hex")) };
  assert.deepEqual(known, { bytes: false, hex: false });
  assert.ok(holds(memory, secret), "as a number it is there until it is freed");
  key.free();
  assert.ok(!holds(memory, secret));
});

test("a one-time code leaves nothing in the memory", () => {
  const [memory] = memories.slice(-1);
  const key = SessionKey.generate();
  const code = "Q7xW2mZk9TpR4vYb";
  for (let round = 0; round < 100; round++) thrown("bundle_malformed", () => key.sealOtpCode("{}", code));
  assert.ok(!Buffer.from(memory.buffer).includes(code));
});

test("where an instance could not be replaced at first, what takes its place is one and not two", async () => {
  const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
  const lost = SessionKey.generate();
  const wallet = client.adoptSession(session(), SessionKey.generate());
  await whileThrowing(Date, "now", () => thrown("instance_lost", () => wallet.isActive));
  const { Instance: replacing } = WebAssembly;
  WebAssembly.Instance = function () {
    throw new RangeError("too large to be compiled at once");
  };
  thrown("instance_lost", () => SessionKey.generate());
  WebAssembly.Instance = replacing;

  const loading = init(await readFile(new URL("../../pkg/wasm/gridkey_bg.wasm", import.meta.url)));
  const key = SessionKey.dangerouslyFromPrivateKey(SECRET);
  const { publicKey } = key;
  await loading;
  const other = SessionKey.generate();
  assert.notEqual(other.publicKey, publicKey);
  assert.equal(client.adoptSession(session(), key).publicKey, publicKey);
  thrown("instance_lost", () => lost.publicKey);
});
