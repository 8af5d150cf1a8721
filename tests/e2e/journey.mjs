// What a customer does on the page, from the first code to signing out.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

pageTests("code, passkey, refresh, device code, sign out", async (page) => {
  await page.signInByCode();
  await assertAtGrid(page, { sealed: false });

  await page.addPasskey("Ada's laptop");
  assert.deepEqual(
    page.traffic.filter(({ path }) => path === "/api/grid/auth/credentials").map(({ method, status }) => `${method} ${status}`),
    ["GET 200", "GET 200", "POST 202", "POST 201"],
  );
  await page.signOut();
  await assertSignedOutAtGrid(page);

  await page.signInByPasskey();
  await assertAtGrid(page, { sealed: page.keys === "sealed" });
  assertKeyDelivery(page);

  const before = await page.session();
  await page.refresh();
  const after = await page.session();
  assert.notEqual(after.id, before.id);
  assert.notEqual(after.publicKey, before.publicKey);
  await assertAtGrid(page, { sealed: page.keys === "sealed" });
  assertKeyDelivery(page);
  assert.equal(page.signed().at(-1).stampedBy, before.publicKey, "the old session authorises the refresh");

  const oldCode = await page.issueDeviceCode();
  const newCode = await page.issueDeviceCode();
  assert.notEqual(newCode, oldCode);
  assert.equal(await sandbox.redeem(oldCode), 404, "the old device code is dead");
  assert.equal(await sandbox.redeem(newCode), 200, "the new one lives");

  await page.signOut();
  const revocation = page.signed().at(-1);
  assert.equal(revocation.method, "DELETE");
  assert.equal(revocation.stampedBy, after.publicKey, "the new key makes the next stamp");
  assert.equal(revocation.status, 204, "and Grid accepts it");
  await assertSignedOutAtGrid(page);
});

pageTests("a code survives a reload of the page", async (page) => {
  await page.askForCode();
  await page.page.reload();
  await page.heading("Enter your code").waitFor();
  await page.enterCode();
  await page.unlocked();
});

pageTests("a session renews itself by code as well", async (page) => {
  await page.signInByCode();
  await page.refresh();
  await assertAtGrid(page, { sealed: page.keys === "sealed" });
  assertKeyDelivery(page);
});

pageTest("a device code is copied, or the page says how", async (page) => {
  await page.signInByCode();
  const code = await page.issueDeviceCode();
  await page.button("Copy").click();
  await page.says("Copied.");
  await page.context.grantPermissions(["clipboard-read"]);
  assert.equal(await page.page.evaluate(() => navigator.clipboard.readText()), code);

  await page.page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"))));
  await page.button("Copy").click();
  await page.says("Select the code and copy it.");
});

pageTest("the page loads nothing from elsewhere and runs nothing inline", async (page) => {
  page.expectProblem(/Executing inline script violates/);
  const origins = new Set();
  page.page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.load();
  await page.signInByCode();
  assert.deepEqual([...origins], [sandbox.DEMO_URL.origin]);
  await page.page.addScriptTag({ content: "globalThis.ranInline = true" }).catch(() => undefined);
  assert.equal(await page.page.evaluate(() => globalThis.ranInline), undefined);
});

/** The page's session is the newest at Grid, and active there under the key that the page opened or made. */
async function assertAtGrid(page, { sealed }) {
  const session = await page.session();
  const newest = (await sandbox.sessions()).at(-1);
  assert.equal(newest.id, session.id);
  assert.equal(newest.publicKey, session.publicKey);
  assert.equal(newest.active, true);
  assert.equal(newest.sealed, sealed);
}

async function assertSignedOutAtGrid(page) {
  const { id } = page.sessionsReceived().at(-1);
  const record = (await sandbox.sessions()).find((session) => session.id === id);
  assert.equal(record.active, false);
  assert.equal(record.revoked, true);
}

/** The session that came last was asked for and delivered as the switch says. */
function assertKeyDelivery(page) {
  const clientPublicKey = page.traffic.map(({ sent }) => sent?.clientPublicKey).findLast((key) => key !== undefined);
  const sealedKey = page.sessionsReceived().at(-1).encryptedSessionSigningKey;
  if (page.keys === "sealed") {
    assert.match(clientPublicKey, /^04[0-9a-f]{128}$/);
    assert.match(sealedKey, /^[1-9A-HJ-NP-Za-km-z]{100,}$/);
  } else {
    assert.match(clientPublicKey, /^0[23][0-9a-f]{64}$/);
    assert.equal(sealedKey, undefined);
  }
}
