// What a request takes is given back when it is over: timers, listeners, and what the WebAssembly
// holds of JavaScript, whether the promises that it waited for were ever settled or not.

import assert from "node:assert/strict";
import test, { before } from "node:test";

// Sees the instance, as a script of the page can.
let table;
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  table = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Table) ?? table;
  return instance;
};

const { createGridkey, init } = await import("../../pkg/node.js");

const ACCOUNT = { accountId: "InternalAccount:1" };

/** More than the room in which the table begins. */
const TIMES = 2000;

before(() => init());

async function held(call) {
  await call();
  const before = table.length;
  for (let time = 0; time < TIMES; time++) await call();
  return table.length - before;
}

test("by requests that are answered", async () => {
  const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
  assert.equal(await held(() => client.listAuthMethods(ACCOUNT)), 0);
});

test("by a signal that nobody aborts", async () => {
  const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
  const { signal } = new AbortController();
  assert.equal(await held(() => client.listAuthMethods({ ...ACCOUNT, signal })), 0);
});

test("by a transport that never answers and hears of no abort", async () => {
  const client = createGridkey({ transport: () => new Promise(() => {}) });
  const call = () => {
    const controller = new AbortController();
    const called = client.listAuthMethods({ ...ACCOUNT, signal: controller.signal });
    setImmediate(() => controller.abort());
    return assert.rejects(called, { code: "aborted" });
  };
  assert.equal(await held(call), 0);
});
