// The page and the backend with routes of its own, with the demo's Grid behind them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test, { after, before, beforeEach } from "node:test";

import * as sandbox from "../e2e/sandbox.mjs";
import { assertAccessible, button, onPage, says, serve, until } from "./browser-page.mjs";

const SERVER = fileURLToPath(new URL("../../examples/own-routes/server.mjs", import.meta.url));
const SECRET = "sandbox-client-secret";

let backend;
let origin;
let url;

before(async () => {
  const { accountId, enclave } = await (await fetch(new URL("config.json", sandbox.DEMO_URL))).json();
  const environment = {
    GRID_BASE_URL: new URL("grid", sandbox.DEMO_URL).href,
    GRID_CLIENT_ID: "sandbox-client-id",
    GRID_CLIENT_SECRET: SECRET,
    GRID_ACCOUNT_ID: accountId,
    GRID_ENCLAVE: JSON.stringify(enclave),
    PORT: "0",
  };
  backend = spawn(process.execPath, [SERVER], { env: { PATH: process.env.PATH, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
  const [address] = await once(backend.stdout, "data");
  origin = String(address).trim();
  url = await serve("own-routes", origin);
});
after(() => backend?.kill());
beforeEach(sandbox.reset);

const submit = (page) => page.getByRole("button", { name: "Sign in", exact: true });

async function signInByCode(page) {
  await button(page, "Send a code").click();
  await page.getByRole("textbox", { name: "Code" }).fill("000000");
  await submit(page).click();
}

test("by code over our own routes, a wrong one first, and out again", async () => {
  await onPage(url, async (page) => {
    const paths = [];
    page.on("request", (request) => paths.push(new URL(request.url()).pathname));
    await button(page, "Send a code").click();
    await says(page, "status", "We sent a code to");
    await assertAccessible(page);
    await page.getByRole("textbox", { name: "Code" }).fill("123456");
    await submit(page).click();
    await says(page, "status", "That did not work: Grid did not accept the code");
    await page.getByRole("textbox", { name: "Code" }).fill("000000");
    await page.keyboard.press("Enter");
    await says(page, "status", "Signed in with");
    await assertAccessible(page);
    await button(page, "Sign out").click();
    await button(page, "Send a code").waitFor();
    // Ended at Grid too, by the signed request.
    await until(async () => (await sandbox.requests()).revokeAuthSession?.[2] === 1);
    const wallet = paths.filter((path) => path.startsWith("/wallet/"));
    assert.deepEqual(paths.filter((path) => /auth|api/.test(path)), []);
    assert.ok(wallet.some((path) => /^\/wallet\/sessions\/[^/]+\/end$/.test(path)), wallet.join("\n"));
  });
});

test("by passkey over our own routes", async () => {
  const other = await serve("react-login", sandbox.DEMO_URL.origin);
  await onPage(other, async (page) => {
    await signInByCode(page);
    await button(page, "Add a passkey").click();
    await says(page, "status", "Next time");
    // Passkeys are of the host, whatever the port.
    await page.goto(url);
    await button(page, "Sign in with passkey").click();
    await says(page, "status", "Signed in with This device.");
  });
});

test("Retry-After comes through backend, envelope and transport", async () => {
  await onPage(url, async (page) => {
    await button(page, "Send a code").waitFor();
    await sandbox.control("fault", { operation: "challengeAuthCredential", fault: { kind: "rateLimit", retryAfterSeconds: 7 } });
    const answered = page.waitForResponse(/\/challenge$/);
    await button(page, "Send a code").click();
    const { response } = await (await answered).json();
    assert.deepEqual([response.status, response.headers], [429, { "retry-after": "7" }]);
    await says(page, "status", "That did not work: too many attempts");
  });
});

test("the backend serves its own customer and its own page only, and keeps its secret", async () => {
  const ask = (path, options) => fetch(`${origin}${path}`, options);
  const post = (path, headers, body = "{}") => ask(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  const methods = await (await ask("/wallet/sign-in-methods")).json();
  const id = encodeURIComponent(methods.response.body.data[0].id);

  const challenge = `/wallet/sign-in-methods/${id}/challenge`;
  assert.equal((await post(challenge, { origin })).status, 200);
  assert.equal((await post(challenge, { origin: "https://elsewhere.example" })).status, 403);
  assert.equal((await post(challenge, {})).status, 403);
  assert.equal((await ask(challenge)).status, 404);
  for (const stranger of ["AuthMethod%3A00000000-0000-0000-0000-000000000000", "..%2F..%2Fcustomers", "..", "%2e%2e"]) {
    assert.ok([403, 404].includes((await post(`/wallet/sign-in-methods/${stranger}/challenge`, { origin })).status), stranger);
  }
  assert.equal((await sandbox.requests()).challengeAuthCredential[1], 1);
  for (const path of ["/wallet/account", "/wallet/sign-in-methods"]) {
    assert.ok(!(await (await ask(path)).text()).includes(SECRET));
  }
});
