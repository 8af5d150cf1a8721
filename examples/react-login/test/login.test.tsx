// What people see and do, with a Grid and an authenticator in memory: gridkey/testing.

import { cleanup, configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { createGridkey, type GridCall } from "gridkey";
import { createTestAuthenticator, createTestGrid, type TestAuthenticator, type TestGrid } from "gridkey/testing";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { App } from "../src/app.tsx";

// What gridkey repeats by itself takes some seconds until it is given up.
configure({ asyncUtilTimeout: 8_000 });

let grid: TestGrid;
let online: boolean;
const user = userEvent.setup();

beforeEach(async () => {
  grid = await createTestGrid();
  online = true;
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(cleanup);

/** Opens the page, as a reload does. */
function open() {
  cleanup();
  const transport = async (call: GridCall) => {
    if (!online) throw new TypeError("Failed to fetch");
    return grid.transport(call);
  };
  const gridkey = createGridkey({ transport, enclave: grid.enclave, timeoutMs: 10_000 });
  render(
    <StrictMode>
      <App gridkey={gridkey} accountId={grid.accountId} />
    </StrictMode>,
  );
}

function device(): TestAuthenticator {
  const authenticator = createTestAuthenticator();
  onTestFinished(() => authenticator.restore());
  return authenticator;
}

const button = (name: string | RegExp) => screen.findByRole("button", { name });
const heading = (name: string) => screen.findByRole("heading", { name });
const field = () => screen.findByRole("textbox", { name: "Code" });
const says = (role: "alert" | "status", text: string | RegExp) =>
  waitFor(() => expect(screen.getAllByRole(role).map(({ textContent }) => textContent).join(" ")).toMatch(text));
const calls = (operation: string) => grid.calls.filter((call) => call.operation === operation).length;

async function enterCode(code?: string) {
  const input = await field();
  await user.type(input, code ?? grid.lastCode ?? "");
  await user.click(await button("Sign in"));
}

/** jsdom draws nothing, so colours are looked at in the browser's tests. */
async function expectAccessible() {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

test("with the passkey, by one press of a key", async () => {
  await grid.addPasskey({ authenticator: device(), nickname: "Ada's laptop" });
  grid.addEmailOtp();
  open();
  const signIn = await button("Sign in with passkey “Ada's laptop”");
  expect(document.activeElement).toBe(signIn);
  await waitFor(() => expect(calls("challengeAuthCredential")).toBeGreaterThan(0));
  await expectAccessible();
  await user.keyboard("{Enter}");
  const opened = await heading("Your wallet is open");
  expect(document.activeElement).toBe(opened);
  await expectAccessible();
});

test("the prompt opens without a request between it and the tap", async () => {
  const authenticator = device();
  await grid.addPasskey({ authenticator });
  open();
  const signIn = await button(/passkey/);
  await waitFor(() => expect(calls("challengeAuthCredential")).toBeGreaterThan(0));
  // The answer to the last challenge is on its way to the page.
  await new Promise((later) => setTimeout(later, 50));
  const before = grid.calls.length;
  authenticator.delayNext(Infinity);
  await user.click(signIn);
  await says("status", "Waiting for your passkey…");
  await waitFor(() => expect(authenticator.prompts.get).toBe(1));
  expect(grid.calls.length).toBe(before);

  await user.click(await button("Cancel"));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Cancel" })).toBeNull());
  expect(document.activeElement).toBe(signIn);
  expect(screen.getAllByRole("alert").every(({ textContent }) => textContent === "")).toBe(true);
});

test("whoever closes the prompt is told what else there is", async () => {
  const authenticator = device();
  await grid.addPasskey({ authenticator });
  open();
  authenticator.cancelNext();
  await user.click(await button(/passkey/));
  await says("alert", "No passkey was used. Try again, or take a code by e-mail.");
  await expectAccessible();
  await user.click(await button(/passkey/));
  await heading("Your wallet is open");
});

test("a browser without passkeys offers the code alone", async () => {
  await grid.addPasskey();
  grid.addEmailOtp();
  open();
  await button("Send a code to jane@example.com");
  expect(screen.queryByRole("button", { name: /passkey/ })).toBeNull();
});

test("by code: pasted with spaces, after a wrong one", async () => {
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  const input = await field();
  expect(document.activeElement).toBe(input);
  expect(input.getAttribute("autocomplete")).toBe("one-time-code");
  expect(input.getAttribute("inputmode")).toBe("numeric");
  await expectAccessible();

  await enterCode("000000");
  await says("alert", "That code is not right.");
  expect(input.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(input);
  await expectAccessible();

  const code = grid.lastCode ?? "";
  // What was wrong is selected, and replaced by what is pasted.
  await user.paste(` ${code.slice(0, 3)} ${code.slice(3)}\n`);
  expect((input as HTMLInputElement).value).toBe(code);
  await user.keyboard("{Enter}");
  await heading("Your wallet is open");
});

test("a code that is under way outlives the page, until somebody goes back", async () => {
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await heading("Enter your code");
  const code = grid.lastCode;

  open();
  await heading("Enter your code");
  await user.click(await button("Sign in another way"));
  await button(/Send a code/);
  open();
  await user.click(await button(/Send a code/));
  await heading("Enter your code");
  expect(grid.lastCode).not.toBe(code);

  open();
  await enterCode();
  await heading("Your wallet is open");
  // Neither the session nor its key does.
  open();
  await heading("Sign in to your wallet");
});

test("a code of another account is not resumed", async () => {
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await heading("Enter your code");
  grid = await createTestGrid({ accountId: "InternalAccount:another" });
  grid.addEmailOtp();
  open();
  await button(/Send a code/);
});

test("the way that was used last comes first", async () => {
  const authenticator = device();
  grid.addEmailOtp();
  await grid.addPasskey({ authenticator });
  const order = async () => {
    open();
    await button(/passkey/);
    return screen.getAllByRole("button").map(({ textContent }) => textContent?.split(" ")[0]);
  };
  expect(await order()).toEqual(["Sign", "Send"]);
  await user.click(await button(/Send a code/));
  await enterCode();
  await heading("Your wallet is open");
  expect(await order()).toEqual(["Send", "Sign"]);
});

test("another code can be sent after a while, and the one before is no longer good", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await screen.findByText(/You can ask for another code in \d+ s\./);
  expect(screen.queryByRole("button", { name: "Send another code" })).toBeNull();
  const first = grid.lastCode;
  vi.advanceTimersByTime(31_000);
  await user.click(await button("Send another code"));
  await says("status", "A new code is on its way.");
  await screen.findByText(/You can ask for another code in/);
  await enterCode(first);
  await says("alert", "That code is not right.");
  await user.clear(await field());
  await enterCode();
  await heading("Your wallet is open");
});

test("after too many attempts the button says how long to wait", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  grid.addEmailOtp();
  grid.failNext("challengeAuthCredential", { status: 429, code: "RATE_LIMITED", retryAfterMs: 45_000 });
  open();
  const send = await button(/Send a code/);
  await user.click(send);
  await says("alert", "There were too many attempts.");
  await screen.findByText("You can try again in 45 s.");
  await expectAccessible();
  await user.click(send);
  expect(calls("challengeAuthCredential")).toBe(1);
  vi.advanceTimersByTime(45_000);
  await waitFor(() => expect(send.getAttribute("aria-disabled")).toBe("false"));
  await user.click(send);
  await heading("Enter your code");
});

test("a slow server is waited for, and can be left", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  grid.addEmailOtp();
  open();
  grid.failNext("challengeAuthCredential", "hang");
  await user.click(await button(/Send a code/));
  await says("status", /^ ?Sending a code…$/);
  vi.advanceTimersByTime(4_500);
  await says("status", "Sending a code… Your connection is slow.");
  await user.click(await button("Cancel"));
  await user.click(await button(/Send a code/));
  await heading("Enter your code");
});

test("without a connection it says so, and goes on when there is one", async () => {
  grid.addEmailOtp();
  online = false;
  open();
  await says("alert", "There is no connection.");
  await expectAccessible();
  const again = await button("Try again");
  expect(document.activeElement).toBe(again);
  online = true;
  await user.click(again);
  await button(/Send a code/);
});

test("what fails for a moment is told from what is refused", async () => {
  grid.addEmailOtp();
  grid.failNext("challengeAuthCredential", { status: 503 });
  open();
  await user.click(await button(/Send a code/));
  await says("alert", "The server has trouble. Try again.");
  grid.failNext("challengeAuthCredential", { status: 400, code: "INVALID_INPUT" });
  await user.click(await button(/Send a code/));
  await says("alert", "Something went wrong on our side, and nothing was changed.");
});

test("the platform's own login has lapsed", async () => {
  grid.failNext("listAuthCredentials", { status: 401 }, { times: 2 });
  open();
  await says("alert", "You are signed out of this site.");
});

test("signing out ends it here, also where Grid cannot be told", async () => {
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await enterCode();
  grid.failNext("revokeAuthSession", "network", { times: 3 });
  await user.click(await button("Sign out"));
  await heading("Sign in to your wallet");
  expect(screen.getByText("You are signed out.")).toBeTruthy();
});

test("a passkey is added after a code, and used the next time", async () => {
  const authenticator = device();
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await enterCode();
  authenticator.cancelNext();
  await user.click(await button("Add a passkey"));
  await says("alert", "No passkey was used.");
  await user.click(await button("Add a passkey"));
  await says("status", "Next time you can sign in with your passkey.");
  expect(authenticator.passkeys).toHaveLength(1);
  await user.click(await button("Sign out"));
  await user.click(await button("Sign in with passkey “This device”"));
  await heading("Your wallet is open");
  expect(screen.queryByRole("button", { name: "Add a passkey" })).toBeNull();
});

test("an idle session asks before it ends; when it has ended, the page says so", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  grid.addEmailOtp();
  open();
  await user.click(await button(/Send a code/));
  await enterCode();
  await heading("Your wallet is open");
  vi.advanceTimersByTime(14 * 60_000);
  await says("alert", "Your session is about to end.");
  expect(calls("refreshAuthSession")).toBe(0);
  grid.failNext("refreshAuthSession", { status: 503 }, { times: 3 });
  await user.click(await button("Stay signed in"));
  await says("alert", "The server has trouble. Try again.");
  await user.click(await button("Stay signed in"));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Stay signed in" })).toBeNull());

  vi.advanceTimersByTime(15 * 60_000);
  await heading("Sign in to your wallet");
  expect(screen.getByText("Your session has ended. Sign in again.")).toBeTruthy();
});
