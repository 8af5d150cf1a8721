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

export async function control(command, options = {}) {
  const response = await fetch(at("sandbox/control"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ command, ...options }),
  });
  assert.ok(response.ok, `${command}: ${response.status} ${await response.text()}`);
}

export const reset = () => control("reset");

/** All sessions ever issued, oldest first. */
export const sessions = () => get("sandbox/sessions");

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
