// What a customer does with an unlocked wallet, payments aside.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

pageTests("a phone number becomes a way to sign in", async (page) => {
  await page.unlock();
  const before = await page.session();
  await page.addPhone();
  const byPhone = (await sandbox.sessions()).at(-1);
  assert.equal(byPhone.active, true, "the code has opened a session");
  assert.equal((await page.session()).id, byPhone.id, "which the page goes on with");
  // The one by e-mail that was renewed is the other.
  await page.page.waitForFunction(() => document.querySelectorAll("[aria-labelledby=sessions-heading] li").length === 2);
  assert.equal((await sandbox.sessions()).find(({ id }) => id === before.id).revoked, true, "and the one before is ended");

  await page.signOut();
  await page.button("Text me a code").click();
  await page.heading("Enter your code").waitFor();
  await page.page.getByText("+14155550101").waitFor();
  await page.enterCode();
  await page.unlocked();
  await page.page.getByText("Signed in with a code sent to +14155550101.").waitFor();
});

pageTest("a phone number that is not the customer's is not signed", async (page) => {
  await page.signInByCode();
  const signed = await sandbox.signedRequests();
  await page.button("Add a text message code").click();
  await page.textbox("Your phone number").fill("+14155550199");
  await page.button("Send a code").click();
  await page.says("This is not what the wallet service has on file for you, so nothing was signed.");
  assert.equal(await sandbox.signedRequests(), signed);
  assert.equal(await page.textbox("Your phone number").evaluate((field) => field === document.activeElement), true);
  await page.button("Cancel").click();
  await page.addPhone();
});

pageTest("a code for a new phone number that is entered later", async (page) => {
  await page.signInByCode();
  await page.button("Add a text message code").click();
  await page.textbox("Your phone number").fill("+14155550101");
  await page.button("Send a code").click();
  await page.button("Later").click();
  await page.page.getByText(/^Text message code · added/).waitFor();
  await page.button("Add a text message code").waitFor({ state: "hidden" });
});

pageTest("the e-mail address is added back", async (page) => {
  await page.signInByCode();
  await page.addPhone();
  await sandbox.control("removeAuthMethod", { authMethodId: (await sandbox.customer()).emailOtpAuthMethodId });
  await page.tab("Pay");
  await page.tab("Sign-in");
  await page.button("Add an e-mail code").click();
  await page.textbox("Your e-mail address").fill("ada@example.com");
  await page.button("Send a code").click();
  await page.codeField.fill("123456");
  page.expectProblem(/status of 401/);
  await page.button("Confirm").click();
  await page.says("That code is not right, or has run out.");
  await page.codeField.fill("000000");
  await page.button("Confirm").click();
  await page.says("“ada@example.com” was added, and you are signed in with it now.");
});

pageTests("a passkey is removed, after a second look", async (page) => {
  await page.unlock();
  await page.addPasskey("Old phone");
  await page.button("Remove passkey Old phone").click();
  await page.page.getByText("Remove “Old phone”? It will no longer open your wallet").waitFor();
  await page.button("Keep it").click();
  assert.equal(await sandbox.requestsFor("revokeAuthCredential"), 0, "nothing is asked for before");
  await page.button("Remove passkey Old phone").click();
  await page.button("Yes, remove it").click();
  await page.says("“Old phone” was removed.");
  assert.equal(page.signed().at(-1).status, 204);
  await page.button("Remove passkey Old phone").waitFor({ state: "hidden" });
  await page.signOut();
  await page.page.getByText("There is no passkey for this wallet yet.").waitFor();
});

pageTest("what cannot be removed, and why", async (page) => {
  await page.signInByCode();
  const email = page.button("Remove e-mail code ada@example.com");
  await email.click();
  await page.page.getByText("This is the only way into your wallet.").waitFor();
  await page.button("Close").click();
  assert.equal(await email.evaluate((button) => button === document.activeElement), true, "the focus goes back");

  await page.addPasskey("Ada's laptop");
  await email.click();
  await page.page.getByText("You are signed in with this one.").waitFor();
  await page.signOut();
  await page.signInByPasskey();
  await email.click();
  await page.page.getByText("does not say what has to be signed to remove a code").waitFor();
  assert.equal(await page.button("Yes, remove it").count(), 0);
  await page.button("Remove passkey Ada's laptop").click();
  await page.page.getByText("You are signed in with this one.").waitFor();
  assert.equal(await sandbox.requestsFor("revokeAuthCredential"), 0);
});

pageTests("another session is ended, this one is marked", async (page) => {
  await page.signInByCode();
  const before = await page.session();
  // At Grid the session before goes on.
  await page.refresh();
  const items = page.region("Where you are signed in").getByRole("listitem");
  await items.nth(1).waitFor();
  assert.match(await items.filter({ hasText: "this page" }).innerText(), /E-mail code ada@example\.com/);
  assert.equal(await items.filter({ hasText: "this page" }).getByRole("button").count(), 0);
  await page.page.getByRole("button", { name: /^End / }).click();
  await page.says("That session was ended.");
  assert.equal(await items.count(), 1);
  const ended = (await sandbox.sessions()).filter(({ revoked }) => revoked);
  assert.deepEqual(ended.map(({ id }) => id), [before.id]);
});

pageTests("e-mail address and phone number are changed", async (page) => {
  await page.unlock();
  await page.tab("Settings");
  await page.page.getByText("Change your e-mail address").click();
  await page.textbox("New e-mail address").fill("ada@lovelace.example");
  await page.button("Change e-mail address").click();
  await page.says("Changed to ada@lovelace.example.");
  assert.equal(page.signed().at(-1).path.split("/").at(-2), "customers", "a credential is tied to it, so it is signed");
  await page.page.getByText("Change your phone number").click();
  await page.textbox("New phone number").fill("+44 20 7946 0958");
  await page.button("Change phone number").click();
  await page.says("Changed to +442079460958.");
  await page.tab("Sign-in");
  await page.button("Remove e-mail code ada@lovelace.example").waitFor();
  await page.signOut();
  await page.page.getByText("to ada@lovelace.example").waitFor();
  await page.signInByCode();
});

pageTest("an address that cannot be used, and one of somebody else", async (page) => {
  page.expectProblem(/status of 4(00|09)/);
  await page.signInByCode();
  await page.tab("Settings");
  await page.page.getByText("Change your e-mail address").click();
  const field = page.textbox("New e-mail address");
  await field.fill("ada");
  await page.button("Change e-mail address").click();
  await page.says("This is not an e-mail address that can be used.");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await field.fill("bo@example.com");
  await page.button("Change e-mail address").click();
  await page.says("Somebody's wallet has this already.");
  assert.equal((await sandbox.requests()).updateCustomerById?.[2] ?? 0, 0);
});

pageTests("the wallet is made private, and public again", async (page) => {
  await page.unlock();
  await page.tab("Settings");
  await page.page.getByText("This is signed blind").waitFor();
  await page.button("Make it private").click();
  await page.says("Your wallet is private now.");
  await page.button("Make it public").click();
  await page.says("Your wallet is public now.");
});

pageTests("the words: a warning, a second step, covered until shown, wiped when hidden", async (page) => {
  const { mnemonic } = await sandbox.customer();
  await watchWipes(page, mnemonic);
  await page.unlock();
  await page.tab("Settings");
  await page.button("Read the warning first").click();
  await page.heading("Whoever has these words has your money").waitFor();
  await page.page.getByText("Nobody here will ever ask you for them").waitFor();
  assert.equal(await page.button("Fetch my words").count(), 0, "not before the second step");
  await page.page.getByRole("checkbox").check();
  assert.equal(await sandbox.requestsFor("exportInternalAccount"), 0);
  await page.button("Fetch my words").click();
  await page.heading("Your words are here, still covered").waitFor();
  await assertAbsent(page, mnemonic);

  await page.button("Show them").click();
  const words = page.page.locator("ol.words li");
  assert.equal((await words.allTextContents()).join(" "), mnemonic);
  assert.equal(await page.region("The words of your wallet").getByRole("button", { name: /copy/i }).count(), 0);
  await page.button("Hide and wipe them").click();
  await page.says("The words were wiped from this page.");
  await assertAbsent(page, mnemonic);
  assert.equal(await wipes(page), 1, "the bytes are zeros");
});

pageTest("the words go with whoever looks away", async (page) => {
  const { mnemonic } = await sandbox.customer();
  await watchWipes(page, mnemonic);
  await page.signInByCode();
  const show = async () => {
    await page.fetchWords();
    await page.button("Show them").click();
    await page.page.locator("ol.words li").first().waitFor();
  };
  const goneAfter = async (times) => {
    await page.page.locator("ol.words").waitFor({ state: "detached" });
    await assertAbsent(page, mnemonic);
    assert.equal(await wipes(page), times);
  };

  await show();
  await page.setVisible(false);
  await page.says("The page was out of sight, so the words were wiped from it.");
  await goneAfter(1);
  await page.setVisible(true);

  await show();
  await page.tab("Pay");
  await goneAfter(2);

  await show();
  await page.signOut();
  await goneAfter(3);

  // Words that arrive when nobody waits for them any more.
  await page.signInByCode();
  for (const [times, leave] of [[4, () => page.setVisible(false)], [5, () => page.tab("Pay")]]) {
    await sandbox.control("fault", { operation: "exportInternalAccount", leg: 2, fault: { kind: "delay", ms: 700 } });
    const asked = page.page.waitForRequest((request) => request.headers()["grid-wallet-signature"] !== undefined);
    await page.fetchWords();
    await asked;
    await leave();
    await page.page.waitForFunction((times) => globalThis.wipedWords === times, times);
    await assertAbsent(page, mnemonic);
    await page.setVisible(true);
  }

  // Whoever has only read the warning has nothing to wipe.
  await page.tab("Settings");
  await page.button("Read the warning first").click();
  await page.page.getByRole("checkbox").check();
  await page.button("Fetch my words").waitFor();
  await page.setVisible(false);
  await page.setVisible(true);
  assert.equal(await page.button("Fetch my words").count(), 1);
});

pageTest("an agent that takes its code", async (page) => {
  await page.signInByCode();
  const code = await page.issueDeviceCode();
  assert.equal(await sandbox.redeem(code), 200);
  await page.says("Your agent is connected.");
  await page.page.getByText(code).waitFor({ state: "detached" });
});

pageTest("a device code is looked up less and less, and not while nobody looks", async (page) => {
  await page.page.clock.install();
  await page.load();
  await page.signInByCode();
  await page.issueDeviceCode();
  const looks = () => page.traffic.filter(({ path }) => path.endsWith("/status")).length;
  const pass = async (seconds) => {
    for (let second = 0; second < seconds; second += 1) {
      await page.page.clock.runFor(1000);
      await page.page.waitForTimeout(15);
    }
  };
  await pass(60);
  const early = looks();
  assert.ok(early >= 4 && early <= 8, `${early} in the first minute`);
  await pass(60);
  assert.ok(looks() - early <= 3, `${looks() - early} in the second`);
  await page.setVisible(false);
  const before = looks();
  await pass(90);
  assert.equal(looks(), before);
  await page.setVisible(true);
  await pass(4);
  assert.equal(looks(), before + 1);
});

pageTests("a card gets a key: both payloads are read and agreed to; then it is taken back", async (page) => {
  await page.unlock();
  await page.tab("Agents");
  await page.button("Give the card a key").click();
  await page.textbox("Name of the key").fill("Groceries");
  const signed = await sandbox.signedRequests();

  await page.button("Show me what is signed").click();
  await page.heading("Read before you sign (1 of 2)").waitFor();
  await page.page.locator(".question").getByText("Groceries").first().waitFor();
  assert.equal(await sandbox.signedRequests(), signed, "nothing is signed before");
  await page.button("Do not sign").click();
  await page.says("You did not agree, so nothing more was signed");
  assert.equal(await sandbox.signedRequests(), signed);

  await page.button("Show me what is signed").click();
  await page.button("Sign this").click();
  await page.heading("Read before you sign (2 of 2)").waitFor();
  await page.page.locator(".question").getByText("ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2").first().waitFor();
  assert.equal(await sandbox.signedRequests(), signed + 1);
  await page.button("Sign this").click();
  await page.says("“Groceries” can pay for your card now.");
  assert.equal(await sandbox.signedRequests(), signed + 2);

  await page.button("Take back").click();
  await page.says("The key was taken back.");
  await page.button("Give the card a key").waitFor();
});

/** Counts the arrays with these words that are filled with zeros. */
async function watchWipes(page, words) {
  await page.page.addInitScript((words) => {
    const { fill } = Uint8Array.prototype;
    globalThis.wipedWords = 0;
    Uint8Array.prototype.fill = function (...options) {
      const held = new TextDecoder().decode(this) === words;
      fill.apply(this, options);
      if (held && this.every((byte) => byte === 0)) globalThis.wipedWords += 1;
      return this;
    };
  }, words);
  await page.load();
}

const wipes = (page) => page.page.evaluate(() => globalThis.wipedWords);

async function assertAbsent(page, mnemonic) {
  const { text, longest } = await page.page.evaluate(() => ({
    text: document.documentElement.textContent,
    longest: document.documentElement.outerHTML,
  }));
  for (const word of new Set(mnemonic.split(" "))) {
    // Words of a wallet are everyday words, so only those are looked for that the page does not use.
    if (["thank", "year", "useful", "worth"].includes(word)) continue;
    assert.ok(!text.includes(word) && !longest.includes(word), word);
  }
}
