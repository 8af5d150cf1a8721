// Everybody can use the page: with the keyboard alone, with assistive technology, on any screen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { CODE } from "./login-page.mjs";
import { pageTest, pageTests } from "./page-test.mjs";

const SCREENS = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 900 } };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

for (const colorScheme of ["light", "dark"]) {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    pageTests(`nothing stands in the way (${colorScheme}, ${screen})`, everyView, { colorScheme, viewport });
  }
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

  await page.signOut();
  await page.button("Sign in with a passkey").waitFor();
  await assertAccessible(page, "signing in with a passkey");

  await page.authenticator.setPresent(false);
  await page.button("Sign in with a passkey").click();
  await page.button("Cancel").waitFor();
  await assertAccessible(page, "waiting for a passkey");
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
      .map((control) => (control.type === "radio" ? control.closest("label") : control))
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
