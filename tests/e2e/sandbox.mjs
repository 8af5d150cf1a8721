// The local Grid behind the page: what it was asked, what it holds, and how it is told to behave.

import assert from "node:assert/strict";

/** Where the demo stack answers, e.g. `http://localhost:8787/`. */
export const DEMO_URL = new URL(process.env.GRIDKEY_DEMO_URL ?? assert.fail("GRIDKEY_DEMO_URL is not set: where is the demo?"));

const at = (path) => new URL(`grid/${path}`, DEMO_URL);

async function get(path) {
  const response = await fetch(at(path));
  assert.equal(response.status, 200, path);
  return response.json();
}

async function post(path, body) {
  const response = await fetch(at(path), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response;
}

export const control = (command, options = {}) => post("sandbox/control", { command, ...options });

/** A token of the sandbox's identity provider. */
export async function idToken(user, clientId, nonce) {
  return (await (await post("sandbox/oidc/token", { user, clientId, nonce })).json()).idToken;
}

export const reset = () => control("reset");

/** All sessions ever issued, oldest first. */
export const sessions = () => get("sandbox/sessions");

/** How many requests arrived, by operation and leg: `{ verifyAuthCredential: { 1: 2, 2: 1 } }`. */
export const requests = () => get("sandbox/requests");

/** How many requests arrived for an operation. */
export async function requestsFor(operation) {
  return Object.values((await requests())[operation] ?? {}).reduce((sum, count) => sum + count, 0);
}

/** How many requests arrived that were signed. Of a payment the first leg is. */
export async function signedRequests() {
  const counts = await requests();
  const signed = Object.entries(counts).map(([operation, legs]) => (operation === "executeQuote" ? legs[1] : 0) + legs[2] + (legs[3] ?? 0));
  return signed.reduce((sum, count) => sum + count, 0);
}

/** Traffic that is not as the API's schemas say. */
export const violations = () => get("sandbox/violations");

export async function customer() {
  const [first] = await get("sandbox/customers");
  return first;
}

/** What agent software does with a device code; resolves with the status. */
export async function redeem(code) {
  const response = await fetch(at(`agents/device-codes/${encodeURIComponent(code)}/redeem`), { method: "POST" });
  return response.status;
}
