// Signing in with an identity provider: the sandbox's own, over a redirect and in a window.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

const FOREIGN = "An answer came that does not belong to a sign-in begun here, so it was not used.";

pageTests("an account at a provider is added, opens the wallet over a redirect, and is removed", async (page) => {
  await page.unlock();
  await page.addProvider();
  await page.signOut();

  await leaveForProvider(page);
  const asked = new URL(page.page.url()).searchParams;
  assert.match(asked.get("nonce"), /^[0-9a-f]{64}$/);
  await page.page.getByRole("button", { name: "Sign in as Ada" }).click();
  await page.unlocked();
  await page.page.getByText("Signed in with your account ada@example.com.").waitFor();
  const address = new URL(page.page.url());
  assert.equal(address.hash, "", "the token is gone from the address");
  assert.equal(address.searchParams.get("session-keys"), page.keys, "and the rest of it is back");
  const newest = (await sandbox.sessions()).at(-1);
  assert.equal(newest.id, (await page.session()).id);
  assert.equal(newest.sealed, false, "a key that outlives the page is the browser's, whatever the switch says");

  // The key that the browser keeps signs.
  await page.addPhone();
  const provider = page.region("Ways to sign in").getByRole("listitem").filter({ hasText: "Identity provider" });
  await provider.getByRole("button", { name: /^Remove/ }).click();
  await page.button("Yes, remove it").click();
  await page.says("was removed.");
  await page.signOut();
  assert.equal(await page.button("Go to Sandbox sign-in").count(), 0, "offered to those only who have it");
});

pageTest("the session by a provider is renewed with a key of the page's", async (page) => {
  await withProvider(page);
  await leaveForProvider(page);
  await page.page.getByRole("button", { name: "Sign in as Ada" }).click();
  await page.unlocked();
  await page.refresh();
  await page.tab("Settings");
  await page.button("Make it private").click();
  await page.says("Your wallet is private now.");
});

pageTest("somebody who signs in as another person, or not at all", async (page) => {
  page.expectProblem(/status of 401/);
  await withProvider(page);
  await leaveForProvider(page);
  await page.page.getByRole("button", { name: "Sign in as Bo" }).click();
  await page.says("Your identity provider's answer was not accepted.");

  await leaveForProvider(page);
  const denied = new URL(page.page.url());
  denied.pathname = denied.pathname.replace("authorize", "sign-in");
  await page.page.goto(denied.href);
  await page.says("You did not sign in there.");

  await leaveForProvider(page);
  await page.page.goBack();
  await page.button("Go to Sandbox sign-in").waitFor();
  await leaveForProvider(page);
  await page.page.getByRole("button", { name: "Sign in as Ada" }).click();
  await page.unlocked();
});

pageTest("an answer that nobody asked for, and one of another sign-in", async (page) => {
  await withProvider(page);
  const verified = await sandbox.requestsFor("verifyAuthCredential");
  const idToken = await sandbox.idToken("ada", "gridkey-demo");
  const arriveWith = async (state) => {
    await page.page.goto("about:blank");
    await page.page.goto(`${sandbox.DEMO_URL}#id_token=${idToken}&state=${state}`);
    await page.says(FOREIGN);
    assert.equal(new URL(page.page.url()).hash, "", "the token is gone from the address all the same");
  };
  await arriveWith("mallory");
  await page.button("Go to Sandbox sign-in").waitFor();
  await leaveForProvider(page);
  await arriveWith("mallory");
  assert.equal(await sandbox.requestsFor("verifyAuthCredential"), verified, "nothing was sent");
});

pageTest("a token that is not bound to the key is not sent", async (page) => {
  await withProvider(page);
  const verified = await sandbox.requestsFor("verifyAuthCredential");
  await leaveForProvider(page);
  const state = new URL(page.page.url()).searchParams.get("state");
  const idToken = await sandbox.idToken("ada", "gridkey-demo", "0".repeat(64));
  await page.page.goto(`${sandbox.DEMO_URL}#id_token=${idToken}&state=${state}`);
  await page.says("Your identity provider's answer was not accepted.");
  assert.equal(await sandbox.requestsFor("verifyAuthCredential"), verified);
});

pageTest("a window that is blocked, closed, or answers something else", async (page) => {
  await page.signInByCode();
  await page.page.evaluate(() => {
    globalThis.realOpen = globalThis.open;
    globalThis.open = () => null;
  });
  await page.button("Add Sandbox sign-in").click();
  await page.button("Open Sandbox sign-in").click();
  await page.says("The browser did not open the window.");
  await page.page.evaluate(() => (globalThis.open = globalThis.realOpen));

  const openWindow = async () => {
    const opened = page.page.waitForEvent("popup");
    await page.button("Open Sandbox sign-in").click();
    return opened;
  };
  await (await openWindow()).close();
  await page.says("The window was closed before you had signed in there.");

  // Only that window, from this origin, is heard; and of its answers only the one that was asked for.
  const window = await openWindow();
  await page.page.evaluate(() => new Promise((resolve) => {
    addEventListener("message", () => setTimeout(resolve, 100), { once: true });
    postMessage({ state: "mallory", idToken: "x" }, location.origin);
  }));
  await page.button("Waiting for Sandbox sign-in…").waitFor();
  await window.goto(`${sandbox.DEMO_URL}return.html#id_token=x&state=mallory`).catch(() => undefined);
  await page.says(FOREIGN);
  assert.equal(await sandbox.requestsFor("createAuthCredential"), 0);

  await page.signInAtWindow();
  await page.says("was added. You can sign in with it from now on.");
});

async function withProvider(page) {
  await page.signInByCode();
  await page.addProvider();
  await page.signOut();
}

async function leaveForProvider(page) {
  await page.button("Go to Sandbox sign-in").click();
  await page.page.getByRole("heading", { name: "Sandbox sign-in" }).waitFor();
}
