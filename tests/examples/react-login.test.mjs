// The login page as it is built and served, with the demo's relay and Grid behind it.

import assert from "node:assert/strict";
import test, { before, beforeEach } from "node:test";

import * as sandbox from "../e2e/sandbox.mjs";
import { assertAccessible, button, heading, onPage, says, serve, until } from "./browser-page.mjs";

let url;

before(async () => (url = await serve("react-login", sandbox.DEMO_URL.origin)));
beforeEach(sandbox.reset);

const code = (page) => page.getByRole("textbox", { name: "Code" });

/** Which element has the focus, by its words. */
const focusedText = (page) => page.evaluate(() => document.activeElement?.textContent);

test("with the keyboard alone: by code, a passkey added, and by passkey", async () => {
  await onPage(url, async (page) => {
    await button(page, "Send a code to").waitFor();
    assert.match(await focusedText(page), /^Send a code to /);
    await assertAccessible(page);
    await page.keyboard.press("Enter");

    await heading(page, "Enter your code").waitFor();
    assert.equal(await code(page).evaluate((input) => input === document.activeElement), true);
    assert.deepEqual(
      await code(page).evaluate(({ autocomplete, inputMode }) => ({ autocomplete, inputMode })),
      { autocomplete: "one-time-code", inputMode: "numeric" },
    );
    await assertAccessible(page);

    // Reading the e-mail cost the page.
    await page.reload();
    await heading(page, "Enter your code").waitFor();
    await page.keyboard.insertText("123 456");
    await page.keyboard.press("Enter");
    await says(page, "alert", "That code is not right");
    await assertAccessible(page);
    // The wrong one is selected, so it is typed over.
    await page.keyboard.insertText("000-000");
    await page.keyboard.press("Enter");

    await heading(page, "Your wallet is open").waitFor();
    assert.equal(await focusedText(page), "Your wallet is open");
    await assertAccessible(page);
    await button(page, "Add a passkey").press("Enter");
    await says(page, "status", "Next time you can sign in with your passkey.");
    await button(page, "Sign out").press("Enter");
    await heading(page, "Sign in to your wallet").waitFor();
    await page.getByText("You are signed out.").waitFor();

    // The code is the way that was used last, so it has the focus; the passkey is the next.
    await button(page, "Sign in with passkey “This device”").waitFor();
    assert.match(await focusedText(page), /^Send a code to /);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Your wallet is open").waitFor();

    await button(page, "Sign out").press("Enter");
    await button(page, "Sign in with passkey").waitFor();
    assert.match(await focusedText(page), /^Sign in with passkey/);
    await assertAccessible(page);
  }, { expected: /status of 401/ });
});

test("a prompt is closed by its page, and opened again", async () => {
  await onPage(url, async (page, authenticator) => {
    await signInByCode(page);
    await button(page, "Add a passkey").click();
    await says(page, "status", "Next time");
    await button(page, "Sign out").click();

    const signIn = button(page, "Sign in with passkey");
    await authenticator.setPresent(false);
    await signIn.click();
    await says(page, "status", "Waiting for your passkey…");
    await button(page, "Cancel").click();
    await button(page, "Cancel").waitFor({ state: "detached" });
    assert.match(await focusedText(page), /^Sign in with passkey/);
    assert.equal(await page.getByRole("alert").allInnerTexts().then((texts) => texts.join("")), "", "they stopped it themselves");
    await authenticator.setPresent(true);
    await signIn.click();
    await heading(page, "Your wallet is open").waitFor();
  });
});

test("the passkey's challenge is there before the tap", async () => {
  await onPage(url, async (page) => {
    await signInByCode(page);
    await button(page, "Add a passkey").click();
    await says(page, "status", "Next time");
    await button(page, "Sign out").click();
    // The code was used last, and nothing is fetched for a passkey that may never be asked for.
    await button(page, "Sign in with passkey").waitFor();
    const challenges = async () => (await sandbox.requests()).challengeAuthCredential[1];
    assert.equal(await challenges(), 1);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await until(async () => (await challenges()) === 2);
    await button(page, "Sign in with passkey").click();
    await heading(page, "Your wallet is open").waitFor();
    assert.equal(await challenges(), 2);
  });
});

const MINUTE = 60_000;

test("a session is refreshed before it ends, by itself while somebody is here", async () => {
  await onPage(url, async (page) => {
    await page.clock.install();
    await page.reload();
    await signInByCode(page);
    const pass = async (minutes) => {
      await sandbox.control("advanceClock", { ms: minutes * MINUTE });
      await page.clock.fastForward(minutes * MINUTE);
    };
    const sessions = async () => (await sandbox.sessions()).length;
    assert.equal(await sessions(), 1);
    await pass(12);
    await page.mouse.click(1, 1);
    await pass(2);
    await until(async () => (await sessions()) === 2);

    await pass(14);
    await says(page, "alert", "Your session is about to end.");
    await button(page, "Stay signed in").click();
    await button(page, "Stay signed in").waitFor({ state: "detached" });
    assert.equal(await sessions(), 3);

    await pass(15);
    await page.getByText("Your session has ended. Sign in again.").waitFor();
    await heading(page, "Sign in to your wallet").waitFor();
  });
});

test("after too many attempts it says how long to wait, and a server that is away comes back", async () => {
  await onPage(url, async (page) => {
    await sandbox.control("fault", { operation: "challengeAuthCredential", fault: { kind: "rateLimit", retryAfterSeconds: 2 } });
    await button(page, "Send a code").click();
    await says(page, "alert", "There were too many attempts.");
    await page.getByText(/You can try again in \d s\./).waitFor();
    assert.equal(await button(page, "Send a code").getAttribute("aria-disabled"), "true");
    await page.getByText(/You can try again in/).waitFor({ state: "detached" });
    await button(page, "Send a code").click();
    await heading(page, "Enter your code").waitFor();
    await button(page, "Sign in another way").click();

    await page.route("**/api/grid/**", (route) => route.abort());
    await page.reload();
    await says(page, "alert", "There is no connection.");
    await page.unroute("**/api/grid/**");
    await page.keyboard.press("Enter");
    await button(page, "Send a code").waitFor();
  }, { expected: /status of 429|ERR_FAILED/ });
});

test("where the WebAssembly is lost, the page says so and goes on", async () => {
  await onPage(url, async (page) => {
    await signInByCode(page);
    await button(page, "Add a passkey").click();
    await says(page, "status", "Next time");
    await button(page, "Sign out").click();

    await signInByCode(page);
    await breakOnce(page);
    // Unless what the page fetches by itself has met it already.
    await page.evaluate(() => [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Add a passkey")?.click());
    await page.getByText("This page had to start over. Sign in again.").waitFor();

    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await button(page, "Sign in with passkey").waitFor();
    await breakOnce(page, { afterPrompt: true });
    await button(page, "Sign in with passkey").click();
    await says(page, "alert", "This page had to start over. Sign in again.");
    await button(page, "Sign in with passkey").click();
    await heading(page, "Your wallet is open").waitFor();
  }, { expected: /broken by the page/ });
});

/** Has the next call that the WebAssembly makes, or the next after a passkey's prompt, fail as none may. */
function breakOnce(page, { afterPrompt = false } = {}) {
  return page.evaluate((afterPrompt) => {
    const { credentials } = navigator;
    const { now } = Date;
    const arm = () => {
      Date.now = () => {
        if (!new Error().stack.includes("wasm")) return now();
        Date.now = now;
        throw new Error("broken by the page");
      };
    };
    if (!afterPrompt) return arm();
    const get = credentials.get.bind(credentials);
    credentials.get = (options) => {
      delete credentials.get;
      return get(options).finally(arm);
    };
  }, afterPrompt);
}

async function signInByCode(page) {
  await button(page, "Send a code").click();
  await code(page).fill("000000");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await heading(page, "Your wallet is open").waitFor();
}
