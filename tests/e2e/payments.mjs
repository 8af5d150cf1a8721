// Paying out of the wallet by a quote.

import assert from "node:assert/strict";

import { pageTest, pageTests } from "./page-test.mjs";
import * as sandbox from "./sandbox.mjs";

pageTests("an amount, what it costs, the payment, and that it arrived", async (page) => {
  await page.unlock();
  await page.tab("Pay");
  await page.page.getByText("You have $10,000.00.").waitFor();
  await page.askForQuote("12.50");
  const offer = await page.region("Pay").locator("dl").innerText();
  for (const fact of ["$12.50", "$0.14", "your bank account", "€11.37"]) assert.ok(offer.includes(fact), `${fact} in ${offer}`);
  await page.page.getByText(/^This offer stands for [45]:\d\d\.$/).waitFor();
  await page.page.getByText("Paying is signed blind").waitFor();
  assert.equal(await sandbox.requestsFor("executeQuote"), 0);

  await page.button("Pay $12.50").click();
  await page.heading("Your payment is on its way").waitFor();
  assert.equal(page.signed().at(-1).stampedBy, (await page.session()).publicKey);
  await page.button("Look again").click();
  await page.heading("Paid").waitFor();
  await page.button("Done").click();
  await page.page.getByText("You have $9,987.50.").waitFor();
});

pageTest("to somebody's address, and what cannot be paid", async (page) => {
  page.expectProblem(/status of 400/);
  await page.signInByCode();
  await page.tab("Pay");
  const ask = () => page.button("See what it costs").click();
  await page.textbox(/^Amount/).fill("a lot");
  await ask();
  await page.says("Enter an amount, like 12.50.");
  assert.equal(await page.textbox(/^Amount/).evaluate((field) => field === document.activeElement), true);
  for (const none of ["0", "0.00", "1.005", "-1"]) {
    await page.textbox(/^Amount/).fill(none);
    await ask();
    await page.says("Enter an amount, like 12.50.");
  }
  assert.equal(await sandbox.requestsFor("createQuote"), 0);
  await page.textbox(/^Amount/).fill("0.05");
  await ask();
  await page.says("This amount is too small or too large");

  await page.page.getByRole("radio", { name: "Somebody's address" }).check();
  await page.textbox(/^Amount/).fill("100,5");
  await page.textbox("Address").fill("mallory");
  await ask();
  await page.says("Enter an address, like $ada@example.com.");
  await page.textbox("Address").fill("$bo@example.com");
  await ask();
  await page.heading("Is this right?").waitFor();
  await page.page.getByText("$bo@example.com").waitFor();
  await page.button("Pay $100.50").waitFor();
  await page.button("Do not pay").click();
  await page.textbox(/^Amount/).waitFor();
  assert.equal(await sandbox.requestsFor("executeQuote"), 0);
});

pageTest("an offer that runs out", async (page) => {
  await page.page.clock.install();
  await page.load();
  await page.signInByCode();
  await page.askForQuote();
  await page.page.clock.fastForward("05:01");
  await page.page.getByText("This offer has run out.").waitFor();
  assert.equal(await page.button("Pay $12.50").count(), 0);
  await page.button("Begin again").click();
  await page.textbox(/^Amount/).waitFor();
});

pageTests("a payment that asks for one more proof", async (page) => {
  page.expectProblem(/status of 400/);
  await sandbox.control("requireSca");
  await page.unlock();
  await page.askForQuote("20");
  await page.button("Pay $20.00").click();
  await page.heading("One more proof that it is you").waitFor();
  const code = page.textbox("Code for this payment");
  await code.fill("999999");
  await page.button("Confirm the payment").click();
  await page.says("That code is not right, or has run out.");
  assert.equal(await code.getAttribute("aria-invalid"), "true");
  await page.button("Send another code").click();
  await page.says("Another code is on its way.");
  await code.fill("123 456");
  await page.button("Confirm the payment").click();
  await page.heading("Your payment is on its way").waitFor();
});

pageTest("wrong codes for a payment, until nobody can pay for a while", async (page) => {
  page.expectProblem(/status of 4(00|23)/);
  await sandbox.control("requireSca");
  await page.signInByCode();
  await page.askForQuote("20");
  await page.button("Pay $20.00").click();
  await page.textbox("Code for this payment").fill("999999");
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const answered = page.page.waitForResponse((response) => response.url().endsWith("/authorize"));
    await page.button("Confirm the payment").click();
    await answered;
  }
  await page.says("That code is not right, or has run out.");
  await page.button("Confirm the payment").click();
  await page.says("There were too many wrong codes, so payments are locked for 15 minutes.");
  assert.equal(await page.button("Pay $20.00").count(), 0);
});

pageTests("an answer that does not come: nobody knows whether it was paid, until somebody looks", async (page) => {
  page.expectProblem(/status of 50\d|ERR_/);
  await page.unlock();
  await page.askForQuote("30");
  await sandbox.control("fault", { operation: "executeQuote", fault: { kind: "drop", processed: true } });
  await page.button("Pay $30.00").click();
  await page.heading("We do not know whether this was paid").waitFor();
  assert.equal(await page.button("Pay $30.00").count(), 0);
  await page.button("Look again").click();
  await page.heading("Paid").waitFor();
  await page.button("Done").click();
  await page.page.getByText("You have $9,970.00.").waitFor();

  await page.askForQuote("40");
  await sandbox.control("fault", { operation: "executeQuote", fault: { kind: "drop" } });
  await page.button("Pay $40.00").click();
  await page.heading("We do not know whether this was paid").waitFor();
  await page.button("Look again").click();
  await page.page.getByText("It was not paid. You can still do it.").waitFor();
  await page.button("Pay $40.00").click();
  await page.heading("Your payment is on its way").waitFor();
  assert.equal(await sandbox.requestsFor("executeQuote"), 3, "nothing was paid behind the customer's back");
});

pageTest("a proof whose answer does not come", async (page) => {
  page.expectProblem(/status of 50\d|ERR_/);
  await sandbox.control("requireSca");
  await page.signInByCode();
  await page.askForQuote("20");
  await page.button("Pay $20.00").click();
  await page.textbox("Code for this payment").fill("123456");
  await sandbox.control("fault", { operation: "authorizeQuote", fault: { kind: "drop", processed: true } });
  await page.button("Confirm the payment").click();
  await page.heading("We do not know whether this was paid").waitFor();
  await page.button("Look again").click();
  await page.heading("Paid").waitFor();
});

pageTest("an offer for something else than was asked for", async (page) => {
  await page.signInByCode();
  await page.tab("Pay");
  await page.page.route("**/api/grid/quotes", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), totalSendingAmount: 125_000 } });
  });
  await page.textbox(/^Amount/).fill("12.50");
  await page.button("See what it costs").click();
  await page.says("The offer that came is not for what you asked for. Nothing was signed.");
  await page.page.unroute("**/api/grid/quotes");
  await page.askForQuote();
});
