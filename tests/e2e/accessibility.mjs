// Everybody can use the page: with the keyboard alone, with assistive technology, on any screen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { CODE } from "./login-page.mjs";
import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

const SCREENS = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 900 } };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Where things stand does not depend on the colours, so two of the four suffice.
for (const [colorScheme, screen] of [["light", "phone"], ["dark", "desktop"]]) {
  pageTest(`nothing stands in the way (${colorScheme}, ${screen})`, everyView, { colorScheme, viewport: SCREENS[screen] });
}

async function everyView(page) {
  page.expectProblem(/status of 401/);
  await assertAccessible(page, "signing in without a passkey");

  await page.askForCode();
  await page.enterCode("123456");
  await page.says("That code is not right, or has run out.");
  await assertAccessible(page, "a wrong code");

  await page.enterCode();
  await page.unlocked();
  await page.addPasskey("Ada's laptop");
  await page.issueDeviceCode();
  await page.tab("Sign-in");
  await page.button("Add a passkey").click();
  await page.page.locator("details").last().locator("summary").click();
  await assertAccessible(page, "the wallet");
  await everyPart(page);

  await page.signOut();
  await page.button("Sign in with a passkey").waitFor();
  await assertAccessible(page, "signing in with a passkey");

  await page.authenticator.setPresent(false);
  await page.button("Sign in with a passkey").click();
  await page.button("Cancel").waitFor();
  await assertAccessible(page, "waiting for a passkey");
}

async function everyPart(page) {
  await page.tab("Sign-in");
  await page.button("Remove passkey Ada's laptop").click();
  await assertAccessible(page, "removing a way to sign in");
  await page.button("Add Sandbox sign-in").click();
  await assertAccessible(page, "adding an identity provider");
  await page.button("Add a text message code").click();
  await page.button("Send a code").click();
  await page.says("This is not a number that can be used.");
  await assertAccessible(page, "adding a phone number");
  await page.button("Cancel").click();
  await page.addPhone();
  const tabs = await page.page.getByRole("tab").evaluateAll((tabs) => tabs.map(({ offsetHeight }) => offsetHeight));
  assert.ok(tabs.every((height) => height < 60), `no tab is broken in two lines: ${tabs}`);
  await page.refresh();
  await page.page.getByRole("button", { name: /^End / }).waitFor();
  await assertAccessible(page, "several sessions");

  await page.tab("Pay");
  await page.page.getByRole("radio", { name: "Somebody's address" }).check();
  await page.button("See what it costs").click();
  await page.says("Enter an amount");
  await assertAccessible(page, "asking for an offer");
  await page.page.getByRole("radio", { name: "Your bank account" }).check();
  await sandbox.control("requireSca");
  await page.askForQuote("20");
  await assertAccessible(page, "an offer");
  await page.button("Pay $20.00").click();
  await page.textbox("Code for this payment").waitFor();
  await assertAccessible(page, "one more proof");
  await page.textbox("Code for this payment").fill("123456");
  await page.button("Confirm the payment").click();
  await page.heading("Your payment is on its way").waitFor();
  await assertAccessible(page, "a payment under way");

  await page.tab("Agents");
  await page.button("Give the card a key").click();
  await page.button("Show me what is signed").click();
  await page.button("Sign this").waitFor();
  await assertAccessible(page, "what is signed for a card");
  await page.button("Do not sign").click();

  await page.tab("Settings");
  await page.page.getByText("Change your e-mail address").click();
  await page.button("Read the warning first").click();
  await page.page.getByRole("checkbox").check();
  await assertAccessible(page, "the settings");
  await page.lie("otherOrganization");
  await page.button("Fetch my words").click();
  await page.noticed();
  await page.button("Fetch my words").click();
  await page.button("Show them").click();
  await assertAccessible(page, "the words, and a lie that was noticed");
}

async function assertAccessible(page, view) {
  await page.page.evaluate(AXE);
  const { violations } = await page.page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
  assert.deepEqual(found, [], view);

  const overflow = await page.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, `${view}: scrolls sideways`);

  const small = await page.page.evaluate(() =>
    [...document.querySelectorAll("button, input, select, summary, a")]
      .map((control) => (["radio", "checkbox"].includes(control.type) ? control.closest("label") : control))
      .filter((control) => control.checkVisibility())
      .map((control) => ({ text: control.textContent || control.id, box: control.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ text, box }) => `${text}: ${box.width} × ${box.height}`),
  );
  assert.deepEqual(small, [], `${view}: too small to touch`);
}

pageTests("the keyboard alone is enough", async ({ page }) => {
  const focusOn = (control) => control.and(page.locator(":focus")).waitFor();
  const button = (name) => page.getByRole("button", { name, exact: true });
  const field = (name) => page.getByRole("textbox", { name });
  const heading = (name) => page.getByRole("heading", { name });
  const tabTo = async (control) => {
    await control.waitFor();
    for (let steps = 0; steps < 60; steps += 1) {
      if (await control.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`the Tab key does not lead to ${control}`);
  };

  await tabTo(button("E-mail me a code"));
  await page.keyboard.press("Enter");
  await focusOn(field("Code"));
  await page.keyboard.type(CODE);
  await page.keyboard.press("Enter");
  await focusOn(heading("Your wallet is unlocked"));

  await tabTo(button("Add a passkey"));
  await page.keyboard.press("Space");
  await focusOn(field("Name of the passkey"));
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "was added" }).waitFor();
  await focusOn(button("Add a passkey"));

  await tabTo(button("Sign out"));
  await page.keyboard.press("Enter");
  await focusOn(heading("Unlock your wallet"));
  await tabTo(button("Sign in with a passkey"));
  await page.keyboard.press("Space");
  await focusOn(heading("Your wallet is unlocked"));
});

pageTest("tabs follow the arrow keys, and keep what is in them", async (login) => {
  await login.signInByCode();
  const { page } = login;
  const tab = (name) => page.getByRole("tab", { name, exact: true });
  const assertChosen = async (name) => {
    await tab(name).and(page.locator(":focus")).waitFor();
    assert.equal(await tab(name).getAttribute("aria-selected"), "true");
    assert.equal(await page.getByRole("tabpanel", { name, exact: true }).count(), 1);
    assert.equal(await page.getByRole("tabpanel").count(), 1, "the others are hidden");
    assert.equal(await page.locator('[role=tab][tabindex="0"]').count(), 1, "one stop of the Tab key");
  };
  await tab("Sign-in").focus();
  await page.keyboard.press("ArrowRight");
  await assertChosen("Pay");
  await page.getByRole("textbox", { name: /^Amount/ }).fill("12");
  await tab("Pay").focus();
  await page.keyboard.press("End");
  await assertChosen("Settings");
  await page.keyboard.press("ArrowRight");
  await assertChosen("Sign-in");
  await page.keyboard.press("ArrowLeft");
  await assertChosen("Settings");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("textbox", { name: /^Amount/ }).inputValue(), "12");
});

pageTest("the developer panel follows the keyboard", async ({ page }) => {
  const panel = page.getByRole("region", { name: /^Requests/ });
  const entries = panel.getByRole("listitem");
  await entries.first().locator("summary").focus();
  await page.keyboard.press("Enter");
  await entries.first().getByText("GET /auth/credentials").waitFor();

  await panel.getByRole("button", { name: "Clear" }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await entries.count(), 0);

  await panel.getByRole("button", { name: /^Requests/ }).focus();
  await page.keyboard.press("Enter");
  await panel.getByRole("button", { name: "Clear" }).waitFor({ state: "hidden" });
});
