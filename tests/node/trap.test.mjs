// A real trap, in a package whose WebAssembly traps where it is told to (`cargo xtask test package`
// builds it): what is under way fails, nothing stays in the memory, and all that is new works.

import assert from "node:assert/strict";
import { join } from "node:path";
import test, { before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { failure, thrown } from "./failure.mjs";

const directory = process.env.GRIDKEY_TRAP_PACKAGE ?? fileURLToPath(new URL("../../target/xtask/trap/pkg", import.meta.url));

const memories = [];
const { instantiate, Instance } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  memories.push(instance.exports.memory);
  return instance;
};
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memories.push(instance.exports.memory);
  return instance;
};

const { SessionKey, createGridkey, init, oauthNonce } = await import(pathToFileURL(join(directory, "node.js")));

const ACCOUNT = { accountId: "InternalAccount:1" };
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index + 1);

function session() {
  const now = new Date().toISOString();
  const expiresAt = new Date(Date.now() + 600_000).toISOString();
  return { id: "Session:1", ...ACCOUNT, type: "EMAIL_OTP", nickname: "a", createdAt: now, updatedAt: now, expiresAt };
}

const isWiped = ({ buffer }) => Buffer.from(buffer).equals(Buffer.alloc(buffer.byteLength));

before(() => init());

for (const [trap, kind] of [
  ["trap: unreachable", WebAssembly.RuntimeError],
  ["trap: stack", Error],
]) {
  for (const [where, run] of [
    ["in a function", () => thrown("instance_lost", () => oauthNonce(trap))],
    ["in a method", () => thrown("instance_lost", () => SessionKey.generate().sealOtpCode(trap, "1"))],
    ["in what gives a promise", () => failure("instance_lost", SessionKey.generate().dangerouslyStampUnchecked(trap))],
    ["in a client", () => failure("instance_lost", createGridkey({ transport() {} }).listAuthMethods({ accountId: trap }))],
    ["in the options of a client", () => failure("instance_lost", createGridkey({ baseUrl: "https://a.example", passkey: { rpId: trap } }).listAuthMethods(ACCOUNT))],
  ]) {
    test(`${trap}, ${where}`, async () => {
      const transport = ({ path }) => (path.includes("credentials") ? { status: 200, body: { data: [] } } : new Promise(() => {}));
      const client = createGridkey({ transport });
      const states = [];
      client.subscribe(() => states.push(client.state.status));
      const key = SessionKey.dangerouslyFromPrivateKey(SECRET);
      const wallet = client.adoptSession(session(), SessionKey.generate());
      const waiting = [client.api.listAuthSessions(ACCOUNT), wallet.refresh(), client.api.getQuoteById("Quote:1")];
      const failures = waiting.map((call) => failure("instance_lost", call));
      await new Promise((soon) => setTimeout(soon, 10));
      const memory = memories.at(-1);
      assert.ok(!isWiped(memory));

      const error = await run();
      assert.equal(error.recovery, "retry");
      assert.ok(error.cause instanceof kind, String(error.cause));
      for (const { cause } of await Promise.all(failures)) assert.equal(cause, error.cause);
      assert.ok(isWiped(memory), "nothing is left in its memory");
      thrown("instance_lost", () => key.publicKey);
      await failure("instance_lost", wallet.signOut());
      assert.deepEqual(states, ["signedIn", "signedOut"]);

      assert.deepEqual(await client.listAuthMethods(ACCOUNT), []);
      assert.notEqual(memories.at(-1), memory);
      assert.ok(client.adoptSession(session(), SessionKey.generate()).isActive);
    });
  }
}
