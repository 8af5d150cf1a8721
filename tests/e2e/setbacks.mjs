// What goes wrong for customers. Each time the page says what happened, and the next attempt works.
// Where no key is delivered, as to whoever signs in by code, one key delivery stands for both.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

pageTest("a wrong code, then the right one", async (page) => {
  page.expectProblem(/status of 401/);
  await page.askForCode();
  await page.enterCode("123456");
  await page.says("That code is not right, or has run out.");
  assert.equal(await page.codeField.getAttribute("aria-invalid"), "true");
  assert.equal(await page.codeField.evaluate((field) => field === document.activeElement), true, "the code can be typed again at once");
  await page.enterCode();
  await page.unlocked();
});

pageTest("an expired code, then another one", async (page) => {
  page.expectProblem(/status of 401/);
  await page.askForCode();
  await sandbox.control("expireChallenges");
  await page.enterCode();
  await page.says("That code has run out.");
  await page.askForAnotherCode();
  await page.enterCode();
  await page.unlocked();
});

pageTest("a code that does not arrive", async (page) => {
  await page.page.clock.install();
  await page.load();
  await page.askForCode();
  await page.page.getByText(/^You can ask for another code in \d+ s\.$/).waitFor();
  await page.page.clock.fastForward("00:30");
  await page.askForAnotherCode();
  await page.enterCode();
  await page.unlocked();
});

pageTests("a passkey prompt that is cancelled", async (page) => {
  await registerPasskey(page);
  await page.authenticator.setPresent(false);
  await page.button("Sign in with a passkey").click();
  await page.button("Cancel").click();
  await page.says(/No passkey was used|You stopped this/);
  await page.authenticator.setPresent(true);
  await page.signInByPasskey();
});

pageTests("a device that does not recognise its owner", async (page) => {
  await registerPasskey(page);
  await page.authenticator.setRecognised(false);
  await page.button("Sign in with a passkey").click();
  await page.says("No passkey was used");
  await page.authenticator.setRecognised(true);
  await page.signInByPasskey();
});

pageTest("a new passkey that is not made, then is", async (page) => {
  await page.signInByCode();
  await page.button("Add a passkey").click();
  await page.authenticator.setRecognised(false);
  await page.button("Create passkey").click();
  await page.says("No passkey was made");
  await page.authenticator.setRecognised(true);
  await page.button("Create passkey").click();
  await page.says("was added");
});

pageTest("a passkey whose name is not allowed", async (page) => {
  await page.signInByCode();
  await page.button("Add a passkey").click();
  const name = page.page.getByRole("textbox", { name: "Name of the passkey" });
  await name.fill("<script>");
  await page.button("Create passkey").click();
  await page.says("Use letters, numbers, spaces");
  await name.fill("Ada's laptop (work)");
  await page.button("Create passkey").click();
  await page.says("“Ada's laptop (work)” was added");
});

pageTest("a second passkey on the same device", async (page) => {
  await page.signInByCode();
  await page.addPasskey("First");
  await page.button("Add a passkey").click();
  await page.button("Create passkey").click();
  await page.says("This device already has a passkey for your wallet.");
});

pageTests("a passkey of another device", async (page) => {
  await page.signInByCode();
  await page.addPasskey("Ada's phone");
  await page.authenticator.replace();
  await page.addPasskey("Ada's laptop");
  await page.signOut();
  const passkey = page.page.getByRole("combobox", { name: "Passkey" });
  assert.equal(await passkey.locator("option:checked").innerText(), "Ada's laptop", "the newest comes first");
  await passkey.selectOption("Ada's phone");
  await page.button("Sign in with a passkey").click();
  await page.says("No passkey was used");
  await passkey.selectOption("Ada's laptop");
  await page.signInByPasskey();
  await page.signOut();
  assert.equal(await passkey.locator("option:checked").innerText(), "Ada's laptop", "the one that worked comes first");
});

pageTests("a passkey challenge that expired", async (page) => {
  page.expectProblem(/status of 401/);
  await registerPasskey(page);
  await page.challenged();
  await sandbox.control("expireChallenges");
  await page.button("Sign in with a passkey").click();
  await page.says("Your passkey was not accepted, perhaps because it took too long.");
  await page.signInByPasskey();
});

pageTest("the relay goes away between the legs of signing in", async (page) => {
  page.expectProblem(/ERR_FAILED/);
  await page.askForCode();
  await page.failSigned("**/verify");
  await page.enterCode();
  await page.says("Your code was right, but signing in failed after that.");
  await page.askForAnotherCode();
  await page.enterCode();
  await page.unlocked();
});

pageTests("the relay goes away while the session is renewed", async (page) => {
  page.expectProblem(/ERR_FAILED/);
  await page.signInByCode();
  const before = await page.session();
  await page.failSigned("**/refresh");
  await page.button("Stay signed in").click();
  await page.says("The server could not be reached.");
  assert.deepEqual(await page.session(), before, "the old session is kept");
  await page.refresh();
});

pageTest("Grid fails in the middle of signing in", async (page) => {
  page.expectProblem(/status of 502/);
  await page.askForCode();
  await sandbox.control("fault", { operation: "verifyAuthCredential", leg: 2, fault: { kind: "drop" } });
  await page.enterCode();
  await page.says("Your code was right, but signing in failed after that.");
  await page.askForAnotherCode();
  await page.enterCode();
  await page.unlocked();
});

pageTests("the relay is gone when signing out", async (page) => {
  page.expectProblem(/ERR_FAILED/);
  await page.signInByCode();
  await page.page.route("**/api/grid/auth/sessions/*", (route) => route.abort());
  await page.button("Sign out").click();
  await page.says("You are signed out on this device. The server could not be told");
  await page.page.unroute("**/api/grid/auth/sessions/*");
  await page.signInByCode();
});

pageTest("too many attempts", async (page) => {
  page.expectProblem(/status of 429/);
  await sandbox.control("fault", {
    operation: "challengeAuthCredential",
    fault: { kind: "rateLimit", retryAfterSeconds: 2 },
  });
  await page.button("E-mail me a code").click();
  await page.says("There were too many attempts. You can try again in 2 seconds.");
  const waiting = page.page.getByRole("button", { name: /^Try again in \d+ s$/ });
  assert.equal(await waiting.getAttribute("aria-disabled"), "true");
  await page.says("You can try again now.");
  await page.signInByCode();
});

pageTest("an agent that is already connected", async (page) => {
  page.expectProblem(/status of 409/);
  await page.signInByCode();
  assert.equal(await sandbox.redeem(await page.issueDeviceCode()), 200);
  await page.button("Issue another code").click();
  await page.says("Your agent is already connected");
  // The sandbox disconnects an agent only with everything else.
  await sandbox.reset();
  await page.issueDeviceCode();
});

pageTest("the platform's own login lapses", async (page) => {
  page.expectProblem(/status of 401/);
  await page.signInByCode();
  await page.page.route("**/api/grid/**", (route) =>
    route.fulfill({ status: 401, contentType: "application/json", body: '{"error":"signed_out_of_platform"}' }),
  );
  await page.button("Stay signed in").click();
  await page.heading("Unlock your wallet").waitFor();
  await page.says("You are signed out of this site.");
  await page.page.unroute("**/api/grid/**");
  await page.button("Try again").click();
  await page.signInByCode();
});

pageTests("a session that Grid has ended", async (page) => {
  page.expectProblem(/status of 40[14]/);
  await page.signInByCode();
  await sandbox.control("expireSessions");
  await page.button("Stay signed in").click();
  await page.heading("Unlock your wallet").waitFor();
  await page.says("Your session has ended.");
  await page.signInByCode();
});

pageTests("a session that runs out", async (page) => {
  await page.page.clock.install();
  await page.load();
  await page.signInByCode();
  await page.page.clock.fastForward("13:00");
  await page.says("Your session ends soon.");
  await page.page.clock.fastForward("02:00");
  await page.heading("Unlock your wallet").waitFor();
  await page.says("Your session has ended.");
});

pageTests("the WebAssembly stops", async (page) => {
  await page.signInByCode();
  await page.page.getByText(/^E-mail code · added/).waitFor();
  await page.page.evaluate(() => {
    const { now } = Date;
    Date.now = () => {
      if (!new Error().stack.includes("wasm-function")) return now();
      Date.now = now;
      throw new Error("a fault of the test");
    };
  });
  await page.button("Stay signed in").click();
  await page.heading("Unlock your wallet").waitFor();
  await page.says("The page had to start its secure part afresh.");
  await page.signInByCode();
});

pageTest("another key delivery is another client", async (page) => {
  await page.signInByCode();
  const revoked = page.page.waitForResponse((response) => response.request().method() === "DELETE" && response.status() === 204);
  await page.page.getByRole("radio", { name: /^Client-held/ }).check();
  await page.heading("Unlock your wallet").waitFor();
  await page.says("You are signed out.");
  await revoked;
  assert.equal(new URL(page.page.url()).searchParams.get("session-keys"), "client-held");
  assert.equal((await sandbox.sessions()).at(-1).revoked, true);
  await page.signInByCode();
  await page.refresh();
  assert.equal((await sandbox.sessions()).at(-1).sealed, false);
});

pageTest("a page whose configuration is missing", async (page) => {
  page.expectProblem(/config\.json|status of 503/);
  await page.page.route("**/config.json", (route) => route.fulfill({ status: 503 }));
  await page.page.reload();
  await page.heading("The wallet cannot be opened").waitFor();
  await page.page.unroute("**/config.json");
  await page.button("Try again").click();
  await page.signInByCode();
});

pageTest("a browser without passkeys", async (page) => {
  await page.page.addInitScript(() => Reflect.deleteProperty(globalThis, "PublicKeyCredential"));
  await page.load();
  await page.page.getByText("This browser cannot use passkeys.").waitFor();
  await page.signInByCode();
});

/** Leaves the page signed out, with a passkey on this device. */
async function registerPasskey(page) {
  await page.signInByCode();
  await page.addPasskey("Ada's laptop");
  await page.signOut();
}
