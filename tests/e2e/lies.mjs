// A relay that lies, by the developer panel's switch. Each time nothing more is signed, the page names
// the reason, and the next attempt works.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

const REFUSED = "The wallet service asked for a signature you did not ask for, so nothing was signed.";
const UNTRUSTED = "The wallet service could not prove that an answer is its own, so the answer was not used.";

/** Tells a lie while `attempt` runs, which then shows `says`; what the client noticed is `expected`. */
async function refuses(page, { lie, attempt, says = REFUSED, signs = 0, ...expected }) {
  await page.lie(lie);
  const [stamped, arrived] = [page.signed().length, await sandbox.signedRequests()];
  await attempt();
  await page.says(says);
  const { text, ...noticed } = await page.noticed();
  for (const [name, value] of Object.entries(expected)) assert.equal(noticed[name], value, `${lie}: ${name}`);
  assert.ok(text.includes(noticed.error === "intent_refused" ? "Nothing was signed." : "did not use the answer"), `${lie}: ${text}`);
  assert.equal(noticed.signatures, `${signs} sent since`, lie);
  assert.equal(page.signed().length - stamped, signs, `${lie}: stamps made`);
  assert.equal((await sandbox.signedRequests()) - arrived, signs, `${lie}: stamps that arrived`);
}

pageTest("lies to somebody who signs in by code", async (page) => {
  // Whoever could choose whom the code is sealed to could read it.
  await refuses(page, {
    lie: "otherEnclaveKey",
    attempt: () => page.button("E-mail me a code").click(),
    says: UNTRUSTED,
    error: "bundle_untrusted",
  });
  await page.askForCode();
  const receipts = [
    ["jsonPayloadForOtp", { error: "intent_refused" }],
    ["otherTokenKey", { error: "intent_refused" }],
    ["otherContact", { error: "intent_refused" }],
    ["tamperBundle", { error: "bundle_untrusted", says: UNTRUSTED }],
  ];
  for (const [lie, expected] of receipts) {
    await refuses(page, { lie, attempt: () => page.enterCode(), ...expected, "asked for": "verifyAuthCredential" });
    // The code was taken, so another one can be had at once.
    await page.askForAnotherCode();
  }
  await page.enterCode();
  await page.unlocked();
});

pageTest("lies about a session's key: sealed", async (page) => {
  await withPasskey(page);
  for (const [lie, error, says] of [
    ["swapAnswerKey", "decrypt_failed", "The answer could not be opened on this device."],
    ["noSealedKey", "relay_protocol", "The server sent an answer this page cannot read."],
  ]) {
    await refuses(page, { lie, attempt: () => page.button("Sign in with a passkey").click(), says, error });
  }
  await page.signInByPasskey();
});

pageTest("lies about a session's key: one that nobody asked for", async (page) => {
  await withPasskey(page);
  await refuses(page, {
    lie: "sealedKeyUnasked",
    attempt: () => page.button("Sign in with a passkey").click(),
    says: UNTRUSTED,
    "asked for": "verifyAuthCredential",
    error: "bundle_untrusted",
    reason: "sealed_key_unasked",
  });
  await page.signInByPasskey();
}, { keys: "client-held" });

pageTests("lies to somebody who changes ways to sign in", async (page) => {
  await page.unlock();
  await page.button("Add a passkey").click();
  const addPasskey = () => page.button("Create passkey").click();
  await page.textbox("Name of the passkey").fill("Ada's laptop");
  await refuses(page, {
    lie: "swapPayload",
    attempt: addPasskey,
    "asked for": "createAuthCredential",
    error: "intent_refused",
    reason: "type",
    came: "Hand the wallet's words to a stranger: ACTIVITY_TYPE_EXPORT_WALLET",
  });
  // Each attempt has made a passkey, which Grid did not take.
  await page.authenticator.replace();
  await refuses(page, { lie: "swapAttestation", attempt: addPasskey, error: "intent_refused", reason: "parameters" });
  await page.authenticator.replace();
  await addPasskey();
  await page.says("“Ada's laptop” was added.");

  await page.button("Remove passkey Ada's laptop").click();
  const remove = () => page.button("Yes, remove it").click();
  await refuses(page, { lie: "twoIds", attempt: remove, "asked for": "revokeAuthCredential", error: "intent_refused", reason: "parameters" });
  await remove();
  await page.says("“Ada's laptop” was removed.");

  await page.button("Add a text message code").click();
  await page.textbox("Your phone number").fill("+14155550101");
  const addPhone = () => page.button("Send a code").click();
  await refuses(page, { lie: "otherPhone", attempt: addPhone, says: "nothing was signed", error: "intent_refused", reason: "parameters" });
  await addPhone();
  await page.codeField.waitFor();
  await page.button("Later").click();

  await page.button("Add Sandbox sign-in").click();
  for (const lie of ["otherOidcToken", "secondProvider"]) {
    await refuses(page, { lie, attempt: () => page.signInAtWindow(), error: "intent_refused", reason: "parameters" });
  }
  await page.signInAtWindow();
  await page.says("was added.");
});

pageTests("lies to somebody who renews and ends sessions", async (page) => {
  await page.unlock();
  const renew = () => page.button("Stay signed in").click();
  const lies = [
    ["swapTargetKey", "parameters"],
    ["wrongActivityType", "type"],
    ["otherOrganization", "organization"],
    ["duplicateMember", "malformed"],
    ["escapedDuplicateParameter", "malformed"],
    ["extraParameter", "parameters"],
  ];
  for (const [lie, reason] of lies) {
    await refuses(page, { lie, attempt: renew, "asked for": "refreshAuthSession", error: "intent_refused", reason });
  }
  await page.refresh();
  // What was stamped once is not stamped again for another key.
  await refuses(page, { lie: "replay", attempt: renew, error: "intent_refused", reason: "parameters" });

  const end = () => page.page.getByRole("button", { name: /^End / }).first().click();
  await refuses(page, { lie: "swapPayload", attempt: end, "asked for": "revokeAuthSession", error: "intent_refused", reason: "type" });
  await end();
  await page.says("That session was ended.");
});

pageTests("lies to somebody in the settings", async (page) => {
  await page.unlock();
  await page.tab("Settings");
  await page.page.getByText("Change your e-mail address").click();
  await page.textbox("New e-mail address").fill("ada@lovelace.example");
  const change = () => page.button("Change e-mail address").click();
  await refuses(page, { lie: "otherEmail", attempt: change, "asked for": "updateCustomerById", error: "intent_refused", reason: "parameters" });
  await change();
  await page.says("Changed to ada@lovelace.example.");

  await page.button("Make it private").click();
  await page.says("Your wallet is private now.");
  const publish = () => page.button("Make it public").click();
  await refuses(page, { lie: "otherSignWith", attempt: publish, "asked for": "updateInternalAccount", error: "intent_refused", reason: "parameters" });
  await publish();
  await page.says("Your wallet is public now.");

  await page.button("Read the warning first").click();
  await page.page.getByRole("checkbox").check();
  const fetchWords = () => page.button("Fetch my words").click();
  await refuses(page, { lie: "swapTargetKey", attempt: fetchWords, "asked for": "exportInternalAccount", error: "intent_refused", reason: "parameters" });
  await refuses(page, { lie: "otherOrganization", attempt: fetchWords, error: "intent_refused", reason: "organization" });
  for (const lie of ["exportOtherOrganization", "exportOtherEnclaveKey", "tamperExport"]) {
    await refuses(page, { lie, attempt: fetchWords, says: UNTRUSTED, error: "bundle_untrusted", signs: 1 });
    assert.equal(await page.page.locator("ol.words").count(), 0);
  }
  await refuses(page, { lie: "exportOtherReceiver", attempt: fetchWords, says: "The answer could not be opened", error: "decrypt_failed", signs: 1 });
  await fetchWords();
  await page.heading("Your words are here, still covered").waitFor();
});

pageTests("lies to somebody who pays, and who lets a card pay", async (page) => {
  await page.unlock();
  await page.askForQuote("10");
  await page.button("Pay $10.00").click();
  await page.heading("Your payment is on its way").waitFor();
  await page.button("Done").click();

  const pay = async () => {
    await page.askForQuote("10");
    await page.button("Pay $10.00").click();
  };
  for (const [lie, reason] of [["swapPayload", "type"], ["otherSignWith", "parameters"]]) {
    await refuses(page, { lie, attempt: pay, "asked for": "createQuote", error: "intent_refused", reason });
    await page.button("Do not pay").click();
  }
  await pay();
  await page.heading("Your payment is on its way").waitFor();

  await page.tab("Agents");
  await page.button("Give the card a key").click();
  const begin = () => page.button("Show me what is signed").click();
  await refuses(page, { lie: "swapPayload", attempt: begin, "asked for": "createDelegatedKey", error: "intent_refused", reason: "type" });
  assert.equal(await page.button("Sign this").count(), 0, "what cannot be signed is not asked about");
  await begin();
  await page.button("Sign this").click();
  await page.heading("Read before you sign (2 of 2)").waitFor();
  await page.button("Sign this").click();
  await page.says("can pay for your card now.");
});

pageTest("every lie on the list is one that the sandbox can tell", async (page) => {
  const lies = await page.page.locator("#lie option").evaluateAll((options) => options.map(({ value }) => value));
  for (const lie of lies) {
    const told = page.page.waitForResponse((response) => response.url().endsWith("/sandbox/control"));
    await page.lie(lie);
    assert.equal((await told).status(), 204, lie);
  }
});

/** Leaves the page signed out, with a passkey on this device. */
async function withPasskey(page) {
  await page.signInByCode();
  await page.addPasskey("Ada's laptop");
  await page.signOut();
}
